/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The library of the CodeMeter twin: the outward functions of libwibucm.so, each of which
 * packs its arguments into one frame, sends it to the engine beside this file and unpacks
 * the answer. It decides nothing and holds no license.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifndef TWIN_VERSION
#error "TWIN_VERSION (major<<24 | minor<<16 | build) must be defined by the build"
#endif
#define EXPORT __attribute__((visibility("default")))
#define NULL_FIELD 0xffffffffu
#define FRAME_BYTES_MAX (16u << 20)
#define ANSWER_SECONDS_MAX 300
#define AWAKE_MICROSECONDS 150
#define ERROR_NETWORK_FAULT 100
#define ERROR_NO_LOCAL_SERVER 110

typedef struct { uint16_t year, month, day, hours, minutes, seconds; uint32_t since_2000; } CMTIME;
typedef struct {
    uint8_t major, minor; uint16_t mask; uint32_t serial; uint16_t box_key_id, user_key_id;
    uint8_t box_public_key[64], serial_public_key[64]; uint32_t reserved;
} CMBOXINFO;
typedef struct {
    uint32_t status; uint16_t enable_block, cps; uint32_t firm_code, product_code, feature_map;
    uint16_t reserved, box_mask; uint32_t box_serial; uint8_t serial_public_key[64], server_id[8];
    uint8_t client_name[128], trailing_block[16];
    uint32_t client_request_time, maintenance_start, maintenance_end;
} CMBORROWDATA;
typedef struct {
    uint32_t pid, session, cleanup_time, max_life_time, creation_time, access_ctrl;
    uint32_t expiration_time, user_defined_id; char user_text[128], user_name[32];
    uint32_t other_firm_code, other_product_code, other_feature_map, other_serial;
    uint16_t other_mask; char reserved1[2]; uint32_t current_instance, previous_instance;
    char domain[16], reserved2[4];
} CMCREDENTIAL;
typedef struct {
    uint32_t ctrl, firm_code, product_code, feature_code, used_runtime_version, reserved1;
    uint32_t product_item_reference, reserved2; uint8_t min_box_major, min_box_minor;
    uint16_t box_mask; uint32_t serial, reserved3, reserved4; char server_name[128];
    CMTIME release_date; char reserved5[16]; CMBORROWDATA borrow; CMCREDENTIAL credential;
} CMACCESS2;
typedef struct {
    uint32_t firm_item_ctrl, firm_code; uint16_t access_counter, reserved1;
    uint32_t update_counter, precise_time; uint16_t firm_item_text[256]; uint8_t reserved2[100];
    uint32_t native_options, effective_options, set_options, product_code, feature_map;
    CMTIME maintenance_start, maintenance_end; uint32_t unit_counter;
    CMTIME expiration, activation; uint32_t usage_period; CMTIME usage_period_start;
    uint32_t license_quantity, linger_time, minimum_runtime_version, license_quantity_flags;
    uint32_t license_tag, transfer_status; uint8_t reserved3[32], dependencies[10], reserved4[12];
    uint16_t module_ref, product_item_ref, transfer_mask; uint32_t transfer_serial;
    CMTIME transfer_borrow_expiration; uint8_t transfer_id[10], reserved5[170];
} CMBOXENTRY2;
typedef struct {
    uint16_t index; uint8_t status, type; uint32_t unit_counter, license_quantity;
    uint32_t returned_quantity; CMTIME time, borrow_expiration;
    uint8_t transfer_id[10], confirmed_transfer_id[10]; uint32_t serial, update_counter;
    uint16_t box_mask; uint8_t reserved[26];
} CMLTHISTORY;
typedef struct {
    uint8_t flags, type, target_ids_count, licensor_key_target_ids_count;
    uint8_t target_ids[112], licensor_key_target_ids[112]; uint32_t max_borrow_period;
    uint16_t transfer_depth; uint8_t reserved[86];
} CMLTTRANSFEROPTIONS;
typedef struct { uint32_t ctrl, firm_code; uint8_t reserved[248]; } CMLTREQUEST;
typedef struct {
    uint32_t ctrl, units, license_quantity; CMTIME borrow_expiration;
    uint16_t history_option_id; uint8_t reserved[234];
} CMLTTRANSFER;
typedef struct { uint32_t flags; uint8_t reserved[76]; } CMSYSTEMSTATUS;

_Static_assert(sizeof(CMTIME) == 16, "CMTIME");
_Static_assert(sizeof(CMBOXINFO) == 144, "CMBOXINFO");
_Static_assert(sizeof(CMBORROWDATA) == 256, "CMBORROWDATA");
_Static_assert(sizeof(CMCREDENTIAL) == 240, "CMCREDENTIAL");
_Static_assert(sizeof(CMACCESS2) == 704, "CMACCESS2");
_Static_assert(sizeof(CMBOXENTRY2) == 1024, "CMBOXENTRY2");
_Static_assert(offsetof(CMBOXENTRY2, native_options) == 632, "CMBOXENTRY2 options");
_Static_assert(offsetof(CMBOXENTRY2, dependencies) == 796, "CMBOXENTRY2 dependencies");
_Static_assert(offsetof(CMBOXENTRY2, module_ref) == 818, "CMBOXENTRY2 module reference");
_Static_assert(sizeof(CMLTHISTORY) == 104, "CMLTHISTORY");
_Static_assert(sizeof(CMLTTRANSFEROPTIONS) == 320, "CMLTTRANSFEROPTIONS");
_Static_assert(sizeof(CMLTREQUEST) == 256, "CMLTREQUEST");
_Static_assert(sizeof(CMLTTRANSFER) == 264, "CMLTTRANSFER");
_Static_assert(sizeof(CMSYSTEMSTATUS) == 80, "CMSYSTEMSTATUS");

enum function {
    GET_VERSION = 1, GET_SERVERS, ACCESS2, RELEASE, GET_BOXES, GET_BOX_CONTENTS2, GET_INFO,
    GET_REMOTE_CONTEXT_BUFFER, SET_REMOTE_UPDATE_BUFFER, LT_CREATE_CONTEXT, LT_DO_TRANSFER,
    LT_IMPORT_UPDATE, LT_CREATE_RECEIPT, LT_CONFIRM_TRANSFER, LT_CLEANUP, LT_LIVE_TRANSFER,
    SET_CERTIFIED_TIME_UPDATE
};
/* One argument on its way to the engine; a null `data` travels as NULL_FIELD. */
typedef struct { const void *data; uint32_t length; } field;
/* The engine's answer: all little-endian, followed by `data_length` bytes for the caller. */
typedef struct __attribute__((packed)) {
    int32_t error; uint64_t result; uint32_t extra, data_length;
} answer_header;

static _Thread_local int32_t last_error;
static char directory[PATH_MAX];

/* The directory is fixed when the library is loaded, so a later chdir() changes nothing. */
__attribute__((constructor)) static void find_directory(void) {
    Dl_info here;
    if (!dladdr((void *)(uintptr_t)find_directory, &here) || !realpath(here.dli_fname, directory))
        directory[0] = '\0';
    char *slash = strrchr(directory, '/');
    if (slash) *slash = '\0';
}

static int connect_to_engine(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = ANSWER_SECONDS_MAX};
    int folder = -1;
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0) return -1;
    int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/engine.sock", directory);
    if (length < 0 || (size_t)length >= sizeof address.sun_path) {
        folder = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/engine.sock", folder);
    }
    int failed = connect(connection, (struct sockaddr *)&address, sizeof address);
    if (folder >= 0) close(folder);
    if (failed) { close(connection); return -1; }
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return connection;
}

/* A thread keeps its connection for its next call: a container of many items is read in many. */
static _Thread_local struct { int connection; pid_t owner; } kept = {-1, 0};
static pthread_key_t thread_end;
static pthread_once_t thread_end_once = PTHREAD_ONCE_INIT;

static void drop_connection(void) {
    if (kept.connection >= 0) close(kept.connection);
    kept.connection = -1;
}

static void end_of_thread(void *unused) {
    (void)unused;
    drop_connection();
}

static void make_thread_end(void) {
    pthread_key_create(&thread_end, end_of_thread);
}

/* Whether the engine still listens at the other end, and has said nothing that nobody asked. */
static int is_usable(void) {
    char byte;
    if (kept.connection < 0 || kept.owner != getpid()) return 0;
    return recv(kept.connection, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0
        && (errno == EAGAIN || errno == EWOULDBLOCK);
}

static int use_connection(void) {
    if (is_usable()) return kept.connection;
    drop_connection();
    pthread_once(&thread_end_once, make_thread_end);
    pthread_setspecific(thread_end, &kept);
    kept.owner = getpid();
    kept.connection = connect_to_engine();
    return kept.connection;
}

static int send_all(int connection, const unsigned char *bytes, size_t length) {
    while (length > 0) {
        ssize_t sent = send(connection, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return 0;
        bytes += sent; length -= (size_t)sent;
    }
    return 1;
}

static int receive_all(int connection, void *buffer, size_t length) {
    unsigned char *bytes = buffer;
    while (length > 0) {
        ssize_t received = recv(connection, bytes, length, 0);
        if (received < 0 && errno == EINTR) continue;
        if (received <= 0) return 0;
        bytes += received; length -= (size_t)received;
    }
    return 1;
}

static unsigned char *append(unsigned char *end, const void *data, uint32_t length) {
    memcpy(end, data, length);
    return end + length;
}

/* Frame: u32 length of what follows, u32 function, then per field u32 length and its bytes. */
static int send_call(int connection, enum function function, const field *fields, size_t count) {
    uint64_t length = 4;
    for (size_t i = 0; i < count; i++) length += 4 + (fields[i].data ? fields[i].length : 0);
    if (length > FRAME_BYTES_MAX) return 0;
    unsigned char *frame = malloc(4 + length), *end = frame;
    if (!frame) return 0;
    uint32_t length_field = (uint32_t)length, function_field = (uint32_t)function;
    end = append(end, &length_field, 4);
    end = append(end, &function_field, 4);
    for (size_t i = 0; i < count; i++) {
        uint32_t size = fields[i].data ? fields[i].length : NULL_FIELD;
        end = append(end, &size, 4);
        if (fields[i].data) end = append(end, fields[i].data, fields[i].length);
    }
    int sent = send_all(connection, frame, 4 + length);
    free(frame);
    return sent;
}

static int64_t microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* An answer that comes at once is not slept for: to be woken costs more than most answers do. */
static ssize_t receive_soon(int connection, struct msghdr *message) {
    ssize_t received;
    for (int64_t end = microseconds() + AWAKE_MICROSECONDS; microseconds() < end; sched_yield()) {
        received = recvmsg(connection, message, MSG_DONTWAIT);
        if (received >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) return received;
    }
    do received = recvmsg(connection, message, 0);
    while (received < 0 && errno == EINTR);
    return received;
}

/* Header and data come in one go: the engine sends no more until it is asked again. */
static int receive_answer(int connection, answer_header *answer, void *out, uint32_t capacity) {
    struct iovec parts[] = {{answer, sizeof *answer}, {out, out ? capacity : 0}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t received = receive_soon(connection, &message);
    if (received <= 0) return 0;
    size_t have = (size_t)received;
    if (have < sizeof *answer) {
        if (!receive_all(connection, (char *)answer + have, sizeof *answer - have)) return 0;
        have = sizeof *answer;
    }
    have -= sizeof *answer;
    if (answer->data_length > parts[1].iov_len || have > answer->data_length) return 0;
    return receive_all(connection, (char *)out + have, answer->data_length - have);
}

/* Returns the engine's result, 0 on any failure; the reason is left in `last_error`. */
static uint64_t call(enum function function, const field *fields, size_t count,
                     void *out, uint32_t capacity, uint32_t *extra) {
    answer_header answer = {0};
    int connection = use_connection();
    if (connection < 0) { last_error = ERROR_NO_LOCAL_SERVER; return 0; }
    int complete = send_call(connection, function, fields, count)
        && receive_answer(connection, &answer, out, capacity);
    if (!complete) { drop_connection(); last_error = ERROR_NETWORK_FAULT; return 0; }
    last_error = answer.error;
    if (extra) *extra = answer.extra;
    return answer.error ? 0 : answer.result;
}

#define U32(value) {&(value), 4}
#define HANDLE(value) {&(value), sizeof(value)}
#define BYTES(pointer, length) {(pointer), (length)}
#define RECORD(pointer) {(pointer), sizeof *(pointer)}
#define CAPACITY(out, size) {(out) ? (const void *)&(size) : NULL, 4}
#define CALL(function, fields, out, size, extra) \
    call((function), (fields), sizeof(fields) / sizeof *(fields), (out), (size), (extra))

EXPORT uint32_t CmGetVersion(void *handle) {
    const field fields[] = {HANDLE(handle)};
    if (!handle) { last_error = 0; return TWIN_VERSION; }
    return (uint32_t)CALL(GET_VERSION, fields, NULL, 0, NULL);
}

EXPORT uint32_t CmGetServers(uint32_t flags, char *out, uint32_t size, uint32_t *count) {
    const field fields[] = {U32(flags), CAPACITY(out, size)};
    return (uint32_t)CALL(GET_SERVERS, fields, out, size, count);
}

EXPORT void *CmAccess2(uint32_t flags, CMACCESS2 *access) {
    uint32_t pid = (uint32_t)getpid();
    const field fields[] = {U32(flags), RECORD(access), U32(pid)};
    return (void *)(uintptr_t)CALL(ACCESS2, fields, NULL, 0, NULL);
}

EXPORT int32_t CmRelease(void *handle) {
    const field fields[] = {HANDLE(handle)};
    return (int32_t)CALL(RELEASE, fields, NULL, 0, NULL);
}

EXPORT int32_t CmGetBoxes(void *handle, uint32_t port, CMBOXINFO *out, uint32_t size) {
    const field fields[] = {HANDLE(handle), U32(port), CAPACITY(out, size)};
    return (int32_t)CALL(GET_BOXES, fields, out, size, NULL);
}

EXPORT int32_t CmGetBoxContents2(void *handle, uint32_t flags, uint32_t firm_code, CMBOXINFO *box,
                                 CMBOXENTRY2 *out, uint32_t size) {
    const field fields[] = {HANDLE(handle), U32(flags), U32(firm_code), RECORD(box),
                            CAPACITY(out, size)};
    return (int32_t)CALL(GET_BOX_CONTENTS2, fields, out, size, NULL);
}

EXPORT uint32_t CmGetInfo(void *handle, uint32_t what, void *out, uint32_t size) {
    const field fields[] = {HANDLE(handle), U32(what), CAPACITY(out, size)};
    return (uint32_t)CALL(GET_INFO, fields, out, size, NULL);
}

EXPORT int32_t CmGetRemoteContextBuffer(void *handle, uint32_t flags, uint32_t *firm_codes,
                                        uint32_t firm_codes_size, void *out, uint32_t size,
                                        uint32_t *written) {
    const field fields[] = {HANDLE(handle), U32(flags), BYTES(firm_codes, firm_codes_size),
                            CAPACITY(out, size)};
    return (int32_t)CALL(GET_REMOTE_CONTEXT_BUFFER, fields, out, size, written);
}

EXPORT int32_t CmSetRemoteUpdateBuffer(void *handle, uint32_t flags, void *update, uint32_t size) {
    const field fields[] = {HANDLE(handle), U32(flags), BYTES(update, size)};
    return (int32_t)CALL(SET_REMOTE_UPDATE_BUFFER, fields, NULL, 0, NULL);
}

EXPORT uint32_t CmLtCreateContext(void *handle, uint32_t flags, CMLTREQUEST *request,
                                  void *pull_context, uint32_t pull_size, void *out,
                                  uint32_t size) {
    const field fields[] = {HANDLE(handle), U32(flags), RECORD(request),
                            BYTES(pull_context, pull_size), CAPACITY(out, size)};
    return (uint32_t)CALL(LT_CREATE_CONTEXT, fields, out, size, NULL);
}

EXPORT uint32_t CmLtDoTransfer(void *handle, uint32_t flags, CMLTTRANSFER *transfer, void *request,
                               uint32_t request_size, void *out, uint32_t size) {
    const field fields[] = {HANDLE(handle), U32(flags), RECORD(transfer),
                            BYTES(request, request_size), CAPACITY(out, size)};
    return (uint32_t)CALL(LT_DO_TRANSFER, fields, out, size, NULL);
}

EXPORT int32_t CmLtImportUpdate(void *handle, uint32_t flags, void *update, uint32_t size) {
    const field fields[] = {HANDLE(handle), U32(flags), BYTES(update, size)};
    return (int32_t)CALL(LT_IMPORT_UPDATE, fields, NULL, 0, NULL);
}

EXPORT uint32_t CmLtCreateReceipt(void *handle, uint32_t flags, CMLTREQUEST *request, void *out,
                                  uint32_t size) {
    const field fields[] = {HANDLE(handle), U32(flags), RECORD(request), CAPACITY(out, size)};
    return (uint32_t)CALL(LT_CREATE_RECEIPT, fields, out, size, NULL);
}

EXPORT int32_t CmLtConfirmTransfer(void *handle, uint32_t flags, void *receipt, uint32_t size) {
    const field fields[] = {HANDLE(handle), U32(flags), BYTES(receipt, size)};
    return (int32_t)CALL(LT_CONFIRM_TRANSFER, fields, NULL, 0, NULL);
}

EXPORT int32_t CmLtCleanup(void *handle, uint32_t flags) {
    const field fields[] = {HANDLE(handle), U32(flags)};
    return (int32_t)CALL(LT_CLEANUP, fields, NULL, 0, NULL);
}

EXPORT int32_t CmLtLiveTransfer(void *from, void *to, uint32_t flags, CMLTTRANSFER *transfer) {
    const field fields[] = {HANDLE(from), HANDLE(to), U32(flags), RECORD(transfer)};
    return (int32_t)CALL(LT_LIVE_TRANSFER, fields, NULL, 0, NULL);
}

EXPORT int32_t CmSetCertifiedTimeUpdate(void *handle, char *server) {
    const field fields[] = {HANDLE(handle), BYTES(server, server ? (uint32_t)strlen(server) : 0)};
    return (int32_t)CALL(SET_CERTIFIED_TIME_UPDATE, fields, NULL, 0, NULL);
}

EXPORT int32_t CmGetLastErrorCode(void) {
    return last_error;
}

static const struct { int32_t code; const char *text; } error_texts[] = {
    {0, "No error"}, {100, "Network fault"}, {101, "Server not found"},
    {105, "Invalid parameter"}, {110, "No local server started"}, {111, "No network server"},
    {200, "Entry not found"}, {201, "CmContainer not found"}, {211, "Validation failed"},
    {212, "No more licenses"}, {226, "Borrow failed"}, {228, "Update too new"},
    {229, "Update too old"}, {231, "Access denied"}, {232, "Borrow time difference too large"},
    {233, "Update failed"}, {234, "Update aborted"}, {235, "Command pending"},
    {238, "Server start pending"}, {263, "Reactivation required"}, {264, "CmAct license invalid"},
    {266, "Already exists"}, {267, "Run as service required"}, {268, "Binding not possible"},
    {273, "Virtual machine not allowed"}, {311, "Not supported for universal licenses"},
};

/* The texts are plain ASCII, so every flag gives the same bytes; returns the size with its NUL. */
EXPORT int32_t CmGetLastErrorText2(uint32_t flags, void *out, uint32_t size) {
    const char *text = "Unknown error";
    char line[128];
    (void)flags;
    for (size_t i = 0; i < sizeof error_texts / sizeof *error_texts; i++)
        if (error_texts[i].code == last_error) text = error_texts[i].text;
    int needed = snprintf(line, sizeof line, "%s, Error %d", text, (int)last_error) + 1;
    if (!out) return needed;
    if (size == 0) return 0;
    snprintf(out, size, "%s", line);
    return needed;
}
