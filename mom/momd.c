/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collectors/list.h"
#include "controllers/list.h"
#include "hypervisors/libvirt.h"
#include "mom/daemon.h"
#include "mom/events.h"
#include "mom/log.h"
#include "mom/mem.h"
#include "mom/pages.h"
#include "mom/policies.h"
#include "mom/publish.h"
#include "mom/remember.h"

#define TRIM_BYTES (64 * 1024)

struct options {
	const char *config_path;
	const char *socket, *uri, *policies;
	const char *proc_root, *sys_root;
	bool check, dry_run, verbose;
};

static void print_usage(FILE *out)
{
	fprintf(out,
		"Usage: momd [OPTION]...\n"
		"Manage the memory of this host's guests through their balloons.\n"
		"\n"
		"  -c, --config FILE   settings [%s/momd.conf]\n"
		"      --check-config  read the settings and policies, say what is "
		"wrong, end\n"
		"      --dry-run       decide and tell, but order nothing\n"
		"  -s, --socket PATH   control socket, whatever the settings say\n"
		"      --uri URI       hypervisor, whatever the settings say\n"
		"      --policies DIR  shipped policies, whatever the settings say\n"
		"      --proc-root DIR look for processes and pressure there [/proc]\n"
		"      --sys-root DIR  look for cgroups and KSM there [/sys]\n"
		"  -v, --verbose       tell details; with --check-config: every setting\n"
		"  -V, --version       print the version and end\n"
		"  -h, --help          print this and end\n"
		"\n"
		"Exit status: 0 ended as asked, 1 could not work, 2 bad usage.\n",
		MOM_SYSCONFDIR);
}

/* 0 go on, 1 all is said, -EINVAL bad usage. */
static int read_options(int argc, char **argv, struct options *options)
{
	enum { CHECK = 256, DRY_RUN, URI, POLICIES, PROC_ROOT, SYS_ROOT };
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"check-config", no_argument, NULL, CHECK},
		{"dry-run", no_argument, NULL, DRY_RUN},
		{"socket", required_argument, NULL, 's'},
		{"uri", required_argument, NULL, URI},
		{"policies", required_argument, NULL, POLICIES},
		{"proc-root", required_argument, NULL, PROC_ROOT},
		{"sys-root", required_argument, NULL, SYS_ROOT},
		{"verbose", no_argument, NULL, 'v'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	*options = (struct options){.proc_root = "/proc", .sys_root = "/sys"};
	int option;
	while ((option = getopt_long(argc, argv, "c:s:vVh", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config_path = optarg;
			break;
		case CHECK:
			options->check = true;
			break;
		case DRY_RUN:
			options->dry_run = true;
			break;
		case 's':
			options->socket = optarg;
			break;
		case URI:
			options->uri = optarg;
			break;
		case POLICIES:
			options->policies = optarg;
			break;
		case PROC_ROOT:
			options->proc_root = optarg;
			break;
		case SYS_ROOT:
			options->sys_root = optarg;
			break;
		case 'v':
			options->verbose = true;
			break;
		case 'V':
			printf("momd %s\n", PACKAGE_VERSION);
			return 1;
		case 'h':
			print_usage(stdout);
			return 1;
		default:
			print_usage(stderr);
			return -EINVAL;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "momd: \"%s\" is no option\n", argv[optind]);
	return -EINVAL;
}

int daemon_read_config(
	const struct daemon *daemon, struct config **config, struct err *err)
{
	static struct config_part_keys parts[32];
	size_t count = 0;
	for (size_t i = 0; collectors[i]; i++)
		if (collectors[i]->keys)
			parts[count++] = (struct config_part_keys){
				.section = collectors[i]->name,
				.keys = collectors[i]->keys,
				.size = collectors[i]->settings_size,
			};
	for (size_t i = 0; controllers[i]; i++)
		if (controllers[i]->keys)
			parts[count++] = (struct config_part_keys){
				.section = controllers[i]->name,
				.keys = controllers[i]->keys,
				.size = controllers[i]->settings_size,
			};
	const char *path = daemon->config_path;
	if (!path && access(CONFIG_PATH, F_OK) == 0)
		path = CONFIG_PATH;
	struct config *loaded = mem_alloc(sizeof(*loaded));
	int result = config_load(loaded, path, parts, count, err);
	if (result < 0) {
		free(loaded);
		return result;
	}
	if (daemon->uri)
		mem_replace(&loaded->hypervisor.uri, daemon->uri);
	if (daemon->policies)
		mem_replace(&loaded->policy.shipped, daemon->policies);
	if (daemon->socket)
		mem_replace(&loaded->control.socket, daemon->socket);
	*config = loaded;
	return 0;
}

static void print_note(const char *note)
{
	fprintf(stderr, "%s\n", note);
}

static int check_config(struct config *config, bool verbose)
{
	struct policy_set *policies;
	struct err err;
	if (policies_load(config, print_note, &policies, &err) < 0) {
		fprintf(stderr, "momd: %s\n", err.text);
		return EXIT_FAILURE;
	}
	if (verbose)
		config_print(config, stdout);
	else
		printf("%s: the configuration is fine, and %zu polic%s with it\n",
			config->path ? config->path : "defaults",
			policy_set_count(policies),
			policy_set_count(policies) == 1 ? "y" : "ies");
	policy_set_free(policies);
	return EXIT_SUCCESS;
}

static void note_change(void *context, const char *text)
{
	events_say(context, LOG_LEVEL_NOTICE, OCCURRENCE_CONTROL, "control: %s", text);
}

/* A host need not have the group of the defaults; nobody is let in by mistake then. */
static const char *existing_group(const char *key, const char *name)
{
	if (!*name || getgrnam(name))
		return name;
	log_warning("control.%s: there is no group \"%s\"; letting in nobody by it", key,
		name);
	return "";
}

static int serve(struct daemon *daemon, struct err *err)
{
	const struct config *config = daemon->engine.config;
	struct control_server_settings settings = {
		.socket = config->control.socket,
		.group = existing_group("group", config->control.group),
		.admin_group = existing_group("admin_group", config->control.admin_group),
		.version = PACKAGE_VERSION,
		.topics = publish_topics,
		.limits = CONTROL_LIMITS_DEFAULT,
		.note = note_change,
	};
	return control_server_new(
		&daemon->server, daemon->base, &settings, daemon_methods, daemon, err);
}

static int work(
	struct daemon *daemon, struct config *config, const struct options *options)
{
	struct engine_env env = {
		.hypervisor = &hypervisor_libvirt,
		.collectors = collectors,
		.controllers = controllers,
		.proc_root = options->proc_root,
		.sys_root = options->sys_root,
		.dry_run = options->dry_run,
		.occurred = events_occurred,
		.occurred_context = daemon,
		.collected = publish_collected,
		.collected_context = daemon,
	};
	/* live settings lie beside the socket: one daemon, one folder */
	auto_free char *live_path = mem_printf("%s.live", config->control.socket);
	env.live_path = live_path;
	struct err err;
	int result = engine_open(&daemon->engine, config, &env, &err);
	if (result < 0) {
		log_error("%s", err.text);
		return EXIT_FAILURE;
	}
	result = daemon_loop_new(daemon, &err);
	if (result == 0)
		result = serve(daemon, &err);
	if (result < 0) {
		log_error("%s", err.text);
	} else {
		remember_begin(daemon);
		pages_follow(daemon);
		events_say(daemon, LOG_LEVEL_INFO, OCCURRENCE_STARTED,
			"momd %s started for %s", PACKAGE_VERSION,
			daemon->engine.config->hypervisor.uri);
		daemon_run(daemon);
	}
	pages_end(daemon);
	control_server_free(daemon->server);
	remember_end(daemon);
	daemon_loop_free(daemon);
	engine_close(&daemon->engine);
	occurrences_done(&daemon->events);
	recorder_done(&daemon->recorder);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options;
	int said = read_options(argc, argv, &options);
	if (said)
		return said < 0 ? 2 : EXIT_SUCCESS;
	/* until the loop listens, the configuration is being read anyway */
	signal(SIGHUP, SIG_IGN);
	/* few arenas and an early trim: a daemon for small hosts stays small */
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
	log_set_level(options.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);

	struct daemon daemon = {
		.config_path = options.config_path,
		.socket = options.socket,
		.uri = options.uri,
		.policies = options.policies,
	};
	struct config *config;
	struct err err;
	int status = EXIT_FAILURE;
	if (daemon_read_config(&daemon, &config, &err) < 0) {
		fprintf(stderr, "momd: %s\n", err.text);
	} else if (options.check) {
		status = check_config(config, options.verbose);
		config_done(config);
		free(config);
	} else {
		status = work(&daemon, config, &options);
	}
	return status;
}
