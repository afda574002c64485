#!/usr/bin/env escript
%% SPDX-License-Identifier: GPL-2.0-or-later
%% Erlang's public_key: a signature by a key that stays a term. erlang.escript sign KEY
main([_, Path]) ->
	{ok, Pem} = file:read_file(Path),
	[Entry] = public_key:pem_decode(Pem),
	Key = public_key:pem_entry_decode(Entry),
	_ = public_key:sign(<<"text">>, sha256, Key),
	put(kept, Key),
	io:format("READY~n"),
	receive never -> io:format("~p", [get(kept)]) end.
