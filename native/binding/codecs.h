// Functions of bytes that belong to no core: hashes and codecs.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>

namespace millrace {

napi_value murmur2OfValue(napi_env env, napi_callback_info info);
napi_value crc32cOfValue(napi_env env, napi_callback_info info);
napi_value lz4Decode(napi_env env, napi_callback_info info);
// `lz4Block`, with an encoder of its own for each environment: they run on threads of their own.
bool addLz4Block(napi_env env, napi_value exports);

// lz4_hc.cpp: a function like `lz4Block` with a level, and with an encoder of its own.
napi_value createLz4HcEncoder(napi_env env, napi_callback_info info);

// Decodes a block, the first argument, into the second; answers what `decode` does.
using BlockDecoder = int64_t (*)(const uint8_t* block, size_t count, uint8_t* output, size_t room);
napi_value decodeBlockBy(napi_env env, napi_callback_info info, BlockDecoder decode);

// gzip.cpp
napi_value createGzipEncoder(napi_env env, napi_callback_info info);

// snappy.cpp: `snappyChunks`, with an encoder of its own for each environment, and what decodes a block.
bool addSnappyChunks(napi_env env, napi_value exports);
napi_value snappyDecode(napi_env env, napi_callback_info info);

// zstd.cpp
napi_value createZstdEncoder(napi_env env, napi_callback_info info);
napi_value zstdDecode(napi_env env, napi_callback_info info);
napi_value zstdBound(napi_env env, napi_callback_info info);
const char* zstdVersion();

}  // namespace millrace
