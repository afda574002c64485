// SPDX-License-Identifier: GPL-2.0-or-later
/* Owning an alert, and the words of its types. */
#include "alert/alert.h"

#include <stdlib.h>

#include "base/cleanup.h"

const char *alert_type_str(enum alert_type type)
{
	static const char *const words[ALERT_TYPE_NR] = {
		[ALERT_KEY_READ] = "key-read",
		[ALERT_DUMP_READ] = "dump-read",
		[ALERT_CREDENTIAL_READ] = "credential-read",
		[ALERT_SENSOR_DEGRADED] = "sensor-degraded",
		[ALERT_EVENTS_LOST] = "events-lost",
		[ALERT_POLICY_REFUSED] = "policy-refused",
		[ALERT_DAEMON] = "daemon",
		[ALERT_DEVICE_READ] = "device-read",
		[ALERT_HOLDER_DUMPED] = "holder-dumped",
		[ALERT_DUMP_SETTING] = "dump-setting-changed",
		[ALERT_OBJECT_WRITTEN] = "object-written",
		[ALERT_OBJECT_LINKED] = "object-linked",
		[ALERT_HOLDER_SENT] = "holder-sent",
		[ALERT_MEMORY_READ] = "memory-read",
		[ALERT_AGENT_USE] = "agent-use",
		[ALERT_DUMP_WITH_KEY] = "dump-with-key",
		[ALERT_DUMP_UNSCANNED] = "dump-unscanned",
		[ALERT_ACCESS_REFUSED] = "access-refused",
		[ALERT_ISOLATION_BREACH] = "isolation-breach",
		[ALERT_TRAIL_RULE] = "trail-rule",
		[ALERT_ACCESS_DENIED] = "access-denied",
	};

	return (unsigned)type < ARRAY_SIZE(words) && words[type] ? words[type] : "?";
}

static void scan_fini(struct alert_scan *scan)
{
	for (uint32_t i = 0; i < scan->nr; i++) {
		free(scan->items[i].class);
		free(scan->items[i].what);
		free(scan->items[i].label);
		free(scan->items[i].zone);
	}
	free(scan->path);
	free(scan->container);
	free(scan->unseen);
	free(scan->command);
	free(scan->exe);
	free(scan->holder_exe);
	free(scan->holder_unit);
}

void alert_free(struct alert *alert)
{
	if (!alert)
		return;
	for (uint32_t i = 0; i < alert->nr_processes; i++) {
		free(alert->processes[i].exe);
		free(alert->processes[i].args);
		free(alert->processes[i].user);
	}
	free(alert->processes);
	free(alert->target.exe);
	free(alert->target.args);
	free(alert->target.user);
	for (uint32_t i = 0; i < alert->nr_keys; i++)
		free(alert->keys[i].path);
	free(alert->host);
	free(alert->text);
	free(alert->login_user);
	free(alert->unit);
	free(alert->package);
	free(alert->exe_digest);
	free(alert->exe_verity);
	free(alert->remote);
	free(alert->script);
	free(alert->container);
	free(alert->image);
	free(alert->image_id);
	free(alert->image_container);
	free(alert->path);
	free(alert->via);
	free(alert->new_path);
	free(alert->watch);
	free(alert->owner_user);
	free(alert->rule);
	free(alert->cause);
	for (uint32_t i = 0; i < alert->nr_held; i++)
		free(alert->held[i].path);
	free(alert->breach.zone);
	free(alert->breach.link);
	free(alert->breach.way);
	free(alert->dump.path);
	free(alert->setting.old_value);
	free(alert->setting.value);
	scan_fini(&alert->scan);
	free(alert);
}
