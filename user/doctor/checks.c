// SPDX-License-Identifier: GPL-2.0-or-later
/* What the checks of `keytrail doctor` say. docs/doctor.md has the same, and a test compares. */
#include "doctor/check.h"

#include "base/child.h"

/* clang-format off */
const struct check checks[CHECK_NR] = {
	[CHECK_CORE_IN_PROGRESS] = {
		"core-in-progress", AREA_HOLDER, SEV_CRITICAL,
		"A core of a process that holds a key is being written",
		"/proc/PID/status (CoreDumping)",
		"What is written now may have the key in it.",
		"keytrail scan on the dump when it is complete; rotate the key if it is found",
	},
	[CHECK_KEY_IN_CORE] = {
		"key-in-core", AREA_HOLDER, SEV_HIGH,
		"A key stands in memory that goes into the core of its process",
		"/proc/PID/smaps, coredump_filter, limits, owner of /proc/PID/status",
		"If it crashes, the key is in the dump, and goes wherever the dump goes.",
		"the program: madvise(MADV_DONTDUMP) on the key's pages, as OPENSSL_secure_malloc does; "
		"or no core at all",
	},
	[CHECK_HOLDER_DUMPABLE] = {
		"holder-dumpable", AREA_HOLDER, SEV_MEDIUM,
		"A process that holds a key leaves a core when it crashes",
		"/proc/PID/limits, coredump_filter, owner of /proc/PID/status",
		"Where the key stands in its memory was not looked at: keytrail doctor --sweep tells whether "
		"its pages are left out.",
		"the program: prctl(PR_SET_DUMPABLE, 0); or LimitCORE=0",
	},
	[CHECK_HOLDER_SUID_CORE] = {
		"holder-suid-core", AREA_HOLDER, SEV_MEDIUM,
		"A process that holds a key and changed its user may leave a core for root",
		"/proc/sys/fs/suid_dumpable, owner of /proc/PID/status",
		"With fs.suid_dumpable=2 such processes are dumped, readable by root and by the helper. That "
		"it forbade it itself cannot be seen from outside.",
		"sysctl -w fs.suid_dumpable=0",
	},
	[CHECK_CORE_FOR_USER] = {
		"core-for-user", AREA_HOLDER, SEV_LOW,
		"The account that a holder runs as can read its core",
		"/proc/PID/status (Uid), /proc/sys/kernel/core_pattern",
		"Cores belong to the user of the process, or are readable by him; whoever has that account "
		"need not read memory, he makes it crash.",
		"Storage=none in /etc/systemd/coredump.conf, or LimitCORE=0 in the unit",
	},
	[CHECK_KEY_SWAPPABLE] = {
		"key-swappable", AREA_HOLDER, SEV_MEDIUM,
		"A key may be written to swap that is not encrypted",
		"/proc/PID/smaps (VmFlags lo, Swap), /proc/PID/status (VmLck), /proc/swaps",
		"What was swapped out stays on the disk after the process and the machine have ended.",
		"the program: mlock() the key's pages (LimitMEMLOCK= in the unit); or encrypt the swap",
	},
	[CHECK_CORE_LIMIT_SOFT] = {
		"core-limit-soft", AREA_HOLDER, SEV_INFO,
		"A holder's core limit is 0 but not fixed",
		"/proc/PID/limits",
		"The soft limit is 0, the hard one is not: the process, and whoever runs code in it, may raise "
		"it.",
		"LimitCORE=0 in its unit, which sets both",
	},
	[CHECK_KEY_INHERITED] = {
		"key-inherited", AREA_HOLDER, SEV_INFO,
		"Children of the process get a copy of the key",
		"/proc/PID/smaps (VmFlags dc, wf)",
		"A child has the key in its memory until it executes something, and in its core.",
		"the program: madvise(MADV_WIPEONFORK) on the key's pages",
	},
	[CHECK_SUID_DUMPABLE] = {
		"suid-dumpable", AREA_HOST, SEV_HIGH,
		"Processes that changed their user are dumped like any other",
		"/proc/sys/fs/suid_dumpable",
		"Programs that gave up root, or that anybody may start as root, leave their memory in a file "
		"that the user can read.",
		"sysctl -w fs.suid_dumpable=0, and the same line in /etc/sysctl.d/",
	},
	[CHECK_CORE_RELATIVE] = {
		"core-relative", AREA_HOST, SEV_MEDIUM,
		"Cores land in whatever directory the process is in",
		"/proc/sys/kernel/core_pattern",
		"That may be a web server's root, a share or a backup; nobody knows where they all are.",
		"apt-get install systemd-coredump, or sysctl -w kernel.core_pattern=/var/crash/core.%e.%p",
	},
	[CHECK_CORE_HELPER] = {
		"core-helper", AREA_HOST, SEV_MEDIUM,
		"Cores are handed to a program that is not known here",
		"/proc/sys/kernel/core_pattern",
		"It runs as root and gets the memory of each process that crashes, whatever its core limit is; "
		"where it puts that, and who can read it, could not be looked at.",
		"sysctl -w kernel.core_pattern='|/bin/false', unless it is yours and you know",
	},
	[CHECK_CORE_REPORTER] = {
		"core-reporter", AREA_HOST, SEV_MEDIUM,
		"Cores go into crash reports",
		"/proc/sys/kernel/core_pattern",
		"apport and abrt make reports with the memory in them, to be sent to somebody who looks for "
		"the bug.",
		"systemctl disable --now apport.service abrt-ccpp.service",
	},
	[CHECK_CORE_SOCKET] = {
		"core-socket", AREA_HOST, SEV_LOW,
		"Cores are sent to a socket",
		"/proc/sys/kernel/core_pattern",
		"Who listens there gets the memory of each process that crashes; core limits do not keep it "
		"back.",
		"know who listens: ss -xlp",
	},
	[CHECK_CORES_KEPT] = {
		"cores-kept", AREA_HOST, SEV_LOW,
		"systemd-coredump keeps cores of all processes",
		"coredump.conf, coredump.conf.d (Storage, MaxUse, KeepFree, ExternalSizeMax)",
		"Each is a copy of memory that backups, images and coredumpctl take along.",
		"Storage=none in /etc/systemd/coredump.conf",
	},
	[CHECK_CORES_IN_JOURNAL] = {
		"cores-in-journal", AREA_HOST, SEV_HIGH,
		"Cores are stored in the journal",
		"coredump.conf, coredump.conf.d (Storage)",
		"Members of systemd-journal and adm read them there, and whoever the journal is sent to.",
		"Storage=none in /etc/systemd/coredump.conf",
	},
	[CHECK_DUMPS_REMOTE] = {
		"dumps-remote", AREA_HOST, SEV_HIGH,
		"Dumps are written to a file system that other hosts have",
		"/proc/self/mountinfo, the directory of core_pattern",
		"They pass the network and can be read where keytrail does not look.",
		"sysctl -w kernel.core_pattern to a directory on a local disk",
	},
	[CHECK_DUMPS_SHARED] = {
		"dumps-shared", AREA_HOST, SEV_HIGH,
		"New dumps can be read by others than root",
		"mode, group and access control lists of the directory of dumps",
		"A default ACL, or the group that the directory passes on, lets these read each dump that is "
		"made there.",
		"setfacl -bk DIRECTORY; chown root:root DIRECTORY; chmod g-s DIRECTORY",
	},
	[CHECK_DUMPS_WRITABLE] = {
		"dumps-writable", AREA_HOST, SEV_MEDIUM,
		"Others than root can change what lies among the dumps",
		"mode and owner of the directory of dumps",
		"Who can write there can take a dump away, put another in its place, or have it made where he "
		"has a file already.",
		"chown root:root DIRECTORY; chmod 0700 DIRECTORY",
	},
	[CHECK_DUMPS_READABLE] = {
		"dumps-readable", AREA_HOST, SEV_HIGH,
		"There are dumps that others than root can read",
		"modes of the files in the directory of dumps",
		"What these hold is not known until they are scanned.",
		"keytrail scan DIRECTORY; chmod 0600 FILE",
	},
	[CHECK_DUMPS_FOREVER] = {
		"dumps-forever", AREA_HOST, SEV_LOW,
		"Nothing removes old dumps",
		"tmpfiles.d, for the directory of dumps",
		"A dump with a key in it waits for its reader as long as the disk lasts.",
		"echo 'd DIRECTORY 0700 root root 3d' > /etc/tmpfiles.d/dumps.conf",
	},
	[CHECK_SWAP_PLAIN] = {
		"swap-plain", AREA_HOST, SEV_MEDIUM,
		"Memory is swapped to a disk without encryption",
		"/proc/swaps, /sys/class/block/*/dm/uuid, backing_dev of zram",
		"What is swapped out stays on the disk, keys among it, and goes with the disk or its image.",
		"swapoff -a, or a swap of its own key: 'swap DEVICE /dev/urandom swap' in /etc/crypttab",
	},
	[CHECK_HIBERNATION] = {
		"hibernation", AREA_HOST, SEV_MEDIUM,
		"Hibernation writes all memory to a disk without encryption",
		"/sys/power/resume, /proc/cmdline (resume=)",
		"Locked pages and those left out of dumps are in that image, too.",
		"systemctl mask hibernate.target hybrid-sleep.target suspend-then-hibernate.target",
	},
	[CHECK_PTRACE_SCOPE] = {
		"ptrace-scope", AREA_HOST, SEV_MEDIUM,
		"Any process reads the memory of others of its user",
		"/proc/sys/kernel/yama/ptrace_scope",
		"Whoever gets into one process of an account gets the keys of all others of it.",
		"sysctl -w kernel.yama.ptrace_scope=1, and the same line in /etc/sysctl.d/",
	},
	[CHECK_KDUMP_REMOTE] = {
		"kdump-remote", AREA_HOST, SEV_HIGH,
		"The kernel's dumps are sent over the network",
		"/etc/default/kdump-tools, /etc/kdump.conf",
		"They are copies of the machine's memory, on a host that keytrail may not see.",
		"take the NFS, SSH or FTP target out: dumps go to a local disk",
	},
	[CHECK_KDUMP_USER_PAGES] = {
		"kdump-user-pages", AREA_HOST, SEV_MEDIUM,
		"The kernel's dumps have the memory of all processes in them",
		"/etc/default/kdump-tools (MAKEDUMP_ARGS), /etc/kdump.conf (core_collector)",
		"Without bit 8 in its level makedumpfile keeps the pages of processes.",
		"makedumpfile -d 31 (MAKEDUMP_ARGS=\"-c -d 31\", or core_collector)",
	},
	[CHECK_CRASH_UPLOAD] = {
		"crash-upload", AREA_HOST, SEV_HIGH,
		"Crash reports are sent away by themselves",
		"/etc/default/whoopsie, /var/lib/apport/autoreport, /etc/abrt/abrt.conf",
		"Reports have memory in them, and whoever gets them is outside.",
		"systemctl disable --now whoopsie.path apport-autoreport.path; abrt-auto-reporting disabled",
	},
	[CHECK_LOGS_STAY] = {
		"logs-stay", AREA_HOST, SEV_MEDIUM,
		"Alerts stay on this host",
		"/etc/rsyslog.conf, /etc/rsyslog.d, syslog-ng's, /etc/systemd/journal-upload.conf",
		"Who becomes root here can delete what was logged about it.",
		"echo '*.* @@LOGHOST' > /etc/rsyslog.d/90-remote.conf; systemctl restart rsyslog",
	},
	[CHECK_DAEMON_OFF] = {
		"daemon-off", AREA_SELF, SEV_HIGH,
		"keytraild does not run",
		"the control socket",
		"Nobody sees who reads keys and dumps.",
		"systemctl enable --now keytraild",
	},
	[CHECK_SENSOR_BLIND] = {
		"sensor-blind", AREA_SELF, SEV_CRITICAL,
		"keytraild does not see its own reads",
		"status (canary)",
		"The probes were switched off behind its back.",
		"systemctl restart keytraild; find out who did it",
	},
	[CHECK_WATCHES_NOTHING] = {
		"watches-nothing", AREA_SELF, SEV_HIGH,
		"Nothing is watched",
		"status (objects)",
		"No file that the policy names is there, or none could be marked.",
		"keytrail inventory and keytrail policy discover show what to name",
	},
	[CHECK_HOOKS_MISSING] = {
		"hooks-missing", AREA_SELF, SEV_HIGH,
		"A way to keys is not seen on this kernel",
		"status (hooks)",
		"A probe could not be attached.",
		"keytrail status tells why; a newer kernel has what is missing",
	},
	[CHECK_LOCKDOWN] = {
		"lockdown", AREA_SELF, SEV_HIGH,
		"The kernel is locked down: probes may not read memory",
		"/sys/kernel/security/lockdown",
		"At level confidentiality keytraild cannot start.",
		"lockdown=integrity on the kernel's command line",
	},
	[CHECK_EVENTS_LOST] = {
		"events-lost", AREA_SELF, SEV_MEDIUM,
		"Events were lost since keytraild started",
		"status (drops)",
		"What they told is not known.",
		"keytrail alerts --type events-lost; bigger rings or tables in the policy's settings",
	},
	[CHECK_PLACES_UNWATCHED] = {
		"places-unwatched", AREA_SELF, SEV_MEDIUM,
		"Some of what the policy names is not watched",
		"status (apart, warnings)",
		"A file system does not answer, or not all could be marked.",
		"keytrail status lists the places; mount them, or let root in",
	},
	[CHECK_DUMPS_UNSCANNED] = {
		"dumps-unscanned", AREA_SELF, SEV_MEDIUM,
		"Dumps are not scanned for keys",
		"status (scan)",
		"That a key is in one is then not known before somebody reads it.",
		"scan: on in the policy's settings",
	},
	[CHECK_CHILDREN_NOBODY] = {
		"children-nobody", AREA_SELF, SEV_MEDIUM,
		"What reads keys for keytraild runs as nobody",
		"status (warnings)",
		"Whoever else runs as nobody can stop these programs, or kill them.",
		"systemd-sysusers keytrail.conf, or " CHILD_USERADD
		"; where another user has its number, give it one of its own (usermod); then restart keytraild",
	},
	[CHECK_MEMORY_OFF] = {
		"memory-off", AREA_SELF, SEV_LOW,
		"Who reads the memory of holders is not seen",
		"status (hooks that are off)",
		"ptrace, /proc/PID/mem and the like are ways to a key that no file shows.",
		"memory: on in the policy's settings",
	},
	[CHECK_REFUSED_OFF] = {
		"refused-off", AREA_SELF, SEV_INFO,
		"Tries that came to nothing are not seen",
		"status (hooks that are off)",
		"Somebody who looks for keys fails before he finds one.",
		"refused: on in the policy's settings",
	},
};
/* clang-format on */

const char *check_area_str(enum check_area area)
{
	static const char *const words[AREA_NR] = {"holder", "host", "self"};

	return area < AREA_NR ? words[area] : "?";
}
