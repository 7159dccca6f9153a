// On Windows an import library ties an addon to the name of one executable: what imports NODE.EXE does not
// load into bun.exe, deno.exe, electron.exe or a packaged application. So the functions of Node-API that the
// addon uses are defined here, and call those that the running process exports. A test compares this list
// with what the addon uses elsewhere.
#ifdef _WIN32

#include <node_api.h>
#include <windows.h>

namespace {

// The executable itself, or the library that an application which embeds Node has it in.
FARPROC find(const char* name) {
  const FARPROC own = GetProcAddress(GetModuleHandleW(nullptr), name);
  if (own != nullptr) return own;
  const HMODULE library = GetModuleHandleW(L"libnode.dll");
  return library == nullptr ? nullptr : GetProcAddress(library, name);
}

template <typename Function>
Function resolve(const char* name) {
  return reinterpret_cast<Function>(reinterpret_cast<void*>(find(name)));
}

}  // namespace

// Resolved once, when the addon is loaded.
#define FORWARD(name, parameters, arguments)                                              \
  static const decltype(&name) resolved_##name = resolve<decltype(&name)>(#name);         \
  napi_status NAPI_CDECL name parameters {                                                \
    return resolved_##name == nullptr ? napi_generic_failure : resolved_##name arguments; \
  }

extern "C" {

FORWARD(napi_add_finalizer,
        (napi_env env, napi_value js_object, void* finalize_data, node_api_basic_finalize finalize_cb,
         void* finalize_hint, napi_ref* result),
        (env, js_object, finalize_data, finalize_cb, finalize_hint, result))
FORWARD(napi_call_function,
        (napi_env env, napi_value recv, napi_value func, size_t argc, const napi_value* argv,
         napi_value* result),
        (env, recv, func, argc, argv, result))
FORWARD(napi_create_async_work,
        (napi_env env, napi_value async_resource, napi_value async_resource_name,
         napi_async_execute_callback execute, napi_async_complete_callback complete, void* data,
         napi_async_work* result),
        (env, async_resource, async_resource_name, execute, complete, data, result))
FORWARD(napi_create_double, (napi_env env, double value, napi_value* result), (env, value, result))
FORWARD(napi_create_error, (napi_env env, napi_value code, napi_value msg, napi_value* result),
        (env, code, msg, result))
FORWARD(napi_create_function,
        (napi_env env, const char* utf8name, size_t length, napi_callback cb, void* data, napi_value* result),
        (env, utf8name, length, cb, data, result))
FORWARD(napi_create_int32, (napi_env env, int32_t value, napi_value* result), (env, value, result))
FORWARD(napi_create_object, (napi_env env, napi_value* result), (env, result))
FORWARD(napi_create_promise, (napi_env env, napi_deferred* deferred, napi_value* promise),
        (env, deferred, promise))
FORWARD(napi_create_reference, (napi_env env, napi_value value, uint32_t initial_refcount, napi_ref* result),
        (env, value, initial_refcount, result))
FORWARD(napi_create_string_utf8, (napi_env env, const char* str, size_t length, napi_value* result),
        (env, str, length, result))
FORWARD(napi_delete_async_work, (napi_env env, napi_async_work work), (env, work))
FORWARD(napi_delete_reference, (node_api_basic_env env, napi_ref ref), (env, ref))
FORWARD(napi_detach_arraybuffer, (napi_env env, napi_value arraybuffer), (env, arraybuffer))
FORWARD(napi_get_and_clear_last_exception, (napi_env env, napi_value* result), (env, result))
FORWARD(napi_get_arraybuffer_info, (napi_env env, napi_value arraybuffer, void** data, size_t* byte_length),
        (env, arraybuffer, data, byte_length))
FORWARD(napi_get_boolean, (napi_env env, bool value, napi_value* result), (env, value, result))
FORWARD(napi_get_cb_info,
        (napi_env env, napi_callback_info cbinfo, size_t* argc, napi_value* argv, napi_value* this_arg,
         void** data),
        (env, cbinfo, argc, argv, this_arg, data))
FORWARD(napi_get_global, (napi_env env, napi_value* result), (env, result))
FORWARD(napi_get_instance_data, (node_api_basic_env env, void** data), (env, data))
FORWARD(napi_get_named_property, (napi_env env, napi_value object, const char* utf8name, napi_value* result),
        (env, object, utf8name, result))
FORWARD(napi_get_reference_value, (napi_env env, napi_ref ref, napi_value* result), (env, ref, result))
FORWARD(napi_get_typedarray_info,
        (napi_env env, napi_value typedarray, napi_typedarray_type* type, size_t* length, void** data,
         napi_value* arraybuffer, size_t* byte_offset),
        (env, typedarray, type, length, data, arraybuffer, byte_offset))
FORWARD(napi_get_value_bool, (napi_env env, napi_value value, bool* result), (env, value, result))
FORWARD(napi_get_value_double, (napi_env env, napi_value value, double* result), (env, value, result))
FORWARD(napi_get_value_string_utf8,
        (napi_env env, napi_value value, char* buf, size_t bufsize, size_t* result),
        (env, value, buf, bufsize, result))
FORWARD(napi_get_value_uint32, (napi_env env, napi_value value, uint32_t* result), (env, value, result))
FORWARD(napi_is_arraybuffer, (napi_env env, napi_value value, bool* result), (env, value, result))
FORWARD(napi_is_detached_arraybuffer, (napi_env env, napi_value value, bool* result), (env, value, result))
FORWARD(napi_is_exception_pending, (napi_env env, bool* result), (env, result))
FORWARD(napi_queue_async_work, (node_api_basic_env env, napi_async_work work), (env, work))
FORWARD(napi_reject_deferred, (napi_env env, napi_deferred deferred, napi_value rejection),
        (env, deferred, rejection))
FORWARD(napi_resolve_deferred, (napi_env env, napi_deferred deferred, napi_value resolution),
        (env, deferred, resolution))
FORWARD(napi_set_instance_data,
        (node_api_basic_env env, void* data, napi_finalize finalize_cb, void* finalize_hint),
        (env, data, finalize_cb, finalize_hint))
FORWARD(napi_set_named_property, (napi_env env, napi_value object, const char* utf8name, napi_value value),
        (env, object, utf8name, value))
FORWARD(napi_throw_error, (napi_env env, const char* code, const char* msg), (env, code, msg))
FORWARD(napi_throw_range_error, (napi_env env, const char* code, const char* msg), (env, code, msg))
FORWARD(napi_throw_type_error, (napi_env env, const char* code, const char* msg), (env, code, msg))
FORWARD(napi_typeof, (napi_env env, napi_value value, napi_valuetype* result), (env, value, result))

}  // extern "C"

#endif
