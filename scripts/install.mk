# SPDX-License-Identifier: GPL-2.0-or-later
#
# make install, make uninstall: what goes where. A file that an administrator may edit is never
# overwritten: a newer one is put beside it as NAME.new.

SYSUSERSDIR  ?= /usr/lib/sysusers.d
TMPFILESDIR  ?= /usr/lib/tmpfiles.d
RSYSLOGDIR   ?= $(SYSCONFDIR)/rsyslog.d
LOGROTATEDIR ?= $(SYSCONFDIR)/logrotate.d
BASHCOMPDIR  ?= $(PREFIX)/share/bash-completion/completions

D = $(DESTDIR)
POLICY_FILES := $(wildcard policy/*.yaml)
MAN_PAGES    := $(wildcard docs/man/*.[1-8])

# What systemd makes for a unit is below /run, /var/lib and /var/log. Elsewhere the daemon makes its
# directories itself.
own_directories = $(if $(filter-out /run,$(RUNDIR)),-e '/^RuntimeDirectory/d') \
	$(if $(filter-out /var/lib,$(STATEDIR)),-e '/^StateDirectory/d') \
	$(if $(filter-out /var/log,$(LOGDIR)),-e '/^LogsDirectory/d')

# Files with the paths of this build written in.
paths = sed -e 's|@SBINDIR@|$(SBINDIR)|g' -e 's|@BINDIR@|$(BINDIR)|g' \
	-e 's|/run/keytrail|$(RUNDIR)/keytrail|g' $(own_directories) \
	-e 's|/var/log/keytrail|$(LOGDIR)/keytrail|g' -e 's|/usr/lib/tmpfiles.d|$(TMPFILESDIR)|g'

# $(call install_filled,SOURCE,DESTINATION): ours to overwrite.
define install_filled
	@mkdir -p $(dir $(D)$2)
	@$(paths) $1 > $(D)$2 && chmod 0644 $(D)$2
	@echo "  INSTALL  $2"
endef

# $(call install_conf,SOURCE,DESTINATION): the administrator's.
define install_conf
	@mkdir -p $(dir $(D)$2)
	@$(paths) $1 > $(D)$2.new && chmod 0644 $(D)$2.new; \
	if [ -e $(D)$2 ] && ! cmp -s $(D)$2 $(D)$2.new; then \
		echo "  KEPT     $2 (changed here; ours is beside it as .new)"; \
	else mv $(D)$2.new $(D)$2; echo "  INSTALL  $2"; fi
endef

define install_bin
	@mkdir -p $(D)$2
	@install -m 0755 $1 $(D)$2/
	@echo "  INSTALL  $2/$(notdir $1)"
endef

.PHONY: install uninstall install-check
install-check: $(PROGRAMS)
	@for d in '$(DATADIR)/' '$(LIBEXECDIR)/' '$(SYSCONFDIR)/keytrail/' '$(STATEDIR)/keytrail' \
			'$(LOGDIR)/keytrail' '$(RUNDIR)/keytrail'; do \
		LC_ALL=C grep -qaF "$$d" $(BUILD)/keytraild || { \
		echo "install: $(BUILD) was built for another place than $$d:" \
		"make clean, then make with the same variables" >&2; exit 1; }; done

## make install            DESTDIR= PREFIX= SYSCONFDIR= UNITDIR= ...; says what is to be done next
install: install-check
	$(call install_bin,$(BUILD)/keytraild,$(SBINDIR))
	$(call install_bin,$(BUILD)/keytrail,$(BINDIR))
	$(call install_bin,$(BUILD)/keytrail-scan,$(LIBEXECDIR))
	$(call install_bin,$(BUILD)/keytrail-scan-dump,$(LIBEXECDIR))
	$(if $(RPM),$(call install_bin,$(BUILD)/keytrail-rpm,$(LIBEXECDIR)))
	$(call install_bin,$(BUILD)/keytrail-search,$(LIBEXECDIR))
	@mkdir -p $(D)$(DATADIR)/policy.d $(D)$(SYSCONFDIR)/keytrail/policy.d
	@for f in $(POLICY_FILES); do install -m 0644 $$f $(D)$(DATADIR)/policy.d/ && \
		echo "  INSTALL  $(DATADIR)/policy.d/$${f##*/}"; done
	@install -m 0644 policy/scan/tokens.yaml $(D)$(DATADIR)/ && \
		echo "  INSTALL  $(DATADIR)/tokens.yaml"
	@for f in $(MAN_PAGES); do s=$${f##*.}; mkdir -p $(D)$(MANDIR)/man$$s; \
		install -m 0644 $$f $(D)$(MANDIR)/man$$s/ && \
		echo "  INSTALL  $(MANDIR)/man$$s/$${f##*/}"; done
	$(call install_filled,packaging/systemd/keytraild.service.in,$(UNITDIR)/keytraild.service)
	$(call install_filled,packaging/sysusers.d/keytrail.conf,$(SYSUSERSDIR)/keytrail.conf)
	$(call install_filled,packaging/tmpfiles.d/keytrail.conf,$(TMPFILESDIR)/keytrail.conf)
	$(call install_filled,packaging/bash-completion/keytrail,$(BASHCOMPDIR)/keytrail)
	$(call install_conf,packaging/rsyslog/keytrail.conf,$(RSYSLOGDIR)/keytrail.conf)
	$(call install_conf,packaging/logrotate/keytrail,$(LOGROTATEDIR)/keytrail)
	@[ -n '$(D)' ] || PATH=$$PATH:/usr/sbin:/sbin scripts/after-install '$(RSYSLOGDIR)'

## make uninstall          leaves alerts, logs and your own policy where they are
uninstall:
	@[ -n '$(D)' ] || ! [ -d /run/systemd/system ] || systemctl disable --now keytraild 2>/dev/null || :
	@rm -f $(D)$(SBINDIR)/keytraild $(D)$(BINDIR)/keytrail $(D)$(UNITDIR)/keytraild.service \
		$(D)$(SYSUSERSDIR)/keytrail.conf $(D)$(TMPFILESDIR)/keytrail.conf \
		$(D)$(RSYSLOGDIR)/keytrail.conf $(D)$(RSYSLOGDIR)/keytrail.conf.new \
		$(D)$(LOGROTATEDIR)/keytrail $(D)$(LOGROTATEDIR)/keytrail.new \
		$(D)$(BASHCOMPDIR)/keytrail
	@for f in $(MAN_PAGES); do rm -f $(D)$(MANDIR)/man$${f##*.}/$${f##*/}; done
	@rm -rf $(D)$(LIBEXECDIR) $(D)$(DATADIR)
	@echo "removed; left: $(SYSCONFDIR)/keytrail, $(STATEDIR)/keytrail, $(LOGDIR)/keytrail*," \
		"the group keytrail, the user keytrail-scan. Restart rsyslog for its part to take effect."
