# The one list of sources: binding.gyp includes it, CMakeLists.txt reads the quoted paths out of it.
{
  'variables': {
    'core_sources': [
      'native/core/appender.cpp',
      'native/core/check.cpp',
      'native/core/crc32c.cpp',
      'native/core/crc32c_arm.cpp',
      'native/core/crc32c_x86.cpp',
      'native/core/lz4.cpp',
      'native/core/lz4_decoder.cpp',
      'native/core/lz4_hc.cpp',
      'native/core/murmur2.cpp',
      'native/core/pages.cpp',
      'native/core/record_batch.cpp',
      'native/core/slab_pool.cpp',
      'native/core/split.cpp',
      'native/core/staged.cpp',
    ],
    'binding_sources': [
      'native/binding/addon.cpp',
      'native/binding/arguments.cpp',
      'native/binding/codecs.cpp',
      'native/binding/core_append.cpp',
      'native/binding/core_batch.cpp',
      'native/binding/core_state.cpp',
      'native/binding/lz4_hc.cpp',
      'native/binding/node_api_windows.cpp',
      'native/binding/zstd.cpp',
    ],
  },
}
