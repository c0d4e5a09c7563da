/*
 * What an option of the program's changes in what is known of its handle (curl/handles): its word or its
 * text, and what follows from it for the request, the target, and whose the handle's secrets are.
 */
#ifndef GUSSET_CURL_OPTIONS_H
#define GUSSET_CURL_OPTIONS_H

#include "curl/handles.h"

/* Writes an option down that libcurl has taken, or that is borrowed. */
void options_note(struct handle *handle, CURLoption option, uint64_t word);

#endif
