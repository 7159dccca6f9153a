# Used by node-gyp where the package is installed from source; development uses native/CMakeLists.txt.
{
  'includes': ['native/sources.gypi'],
  'targets': [
    {
      'target_name': 'millrace',
      'sources': ['<@(core_sources)', '<@(binding_sources)'],
      'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': [
        'NAPI_VERSION=8',
        'NAPI_DISABLE_CPP_EXCEPTIONS',
        'MILLRACE_VERSION="<!(node -p "require(\'./package.json\').version")"',
      ],
      'cflags': ['-O3', '-fvisibility=hidden'],
      'cflags_cc': ['-std=c++17', '-fno-exceptions', '-fno-rtti', '-fvisibility-inlines-hidden'],
      'cflags_cc!': ['-std=gnu++17', '-std=gnu++20'],
      'conditions': [
        ['OS=="linux"', {
          'ldflags': ['-static-libstdc++', '-static-libgcc', '-Wl,-z,relro,-z,now,-z,noexecstack', '-Wl,--exclude-libs,ALL'],
        }],
        ['OS=="mac"', {
          'xcode_settings': {
            'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
            'GCC_OPTIMIZATION_LEVEL': '3',
            'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
          },
        }],
      ],
    },
  ],
}
