(* SPDX-License-Identifier: GPL-2.0-or-later *)
(* OCaml by mirage-crypto, numbers by Zarith: a signature, or a cipher at work.
   ocaml sign NUMBERS | cipher FILE *)
let read path =
  let channel = open_in_bin path in
  let text = really_input_string channel (in_channel_length channel) in
  close_in channel;
  text

let number text name =
  let line =
    List.find
      (fun l -> String.length l > 2 && String.sub l 0 (String.length name + 1) = name ^ " ")
      (String.split_on_char '\n' text)
  in
  Z.of_string_base 16 (String.sub line (String.length name + 1)
    (String.length line - String.length name - 1))

let kept = ref []

let () =
  let text = read Sys.argv.(2) in
  if Sys.argv.(1) = "sign" then begin
    let n = number text in
    match Mirage_crypto_pk.Rsa.priv_of_primes ~e:(n "e") ~p:(n "p") ~q:(n "q") with
    | Error _ -> exit 2
    | Ok key ->
      Mirage_crypto_rng_unix.initialize ();
      ignore (Mirage_crypto_pk.Rsa.PKCS1.sign ~hash:`SHA256 ~key
        (`Message (Cstruct.of_string "text")));
      kept := Obj.repr key :: !kept
  end else begin
    let module Cbc = Mirage_crypto.Cipher_block.AES.CBC in
    let key = Cbc.of_secret (Cstruct.of_string text) in
    ignore (Cbc.encrypt ~key ~iv:(Cstruct.create 16) (Cstruct.create 64));
    kept := Obj.repr key :: !kept
  end;
  print_endline "READY";
  Unix.sleep 1000000;
  ignore (Sys.opaque_identity !kept)
