/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/note.h"

char *policy_format(const struct policy_source *source, struct policy_notes *notes)
{
	(void)source;
	(void)notes;
	return NULL;
}
