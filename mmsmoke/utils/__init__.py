from mmsmoke.lazy import lazy

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        '.configs': ['checkpoint_hashes', 'mappings', 'read_config', 'resolve_network'],
        '.errors': ['DataError', 'UserError', 'require_one_of'],
        '.files': ['atomic_path', 'read_json', 'sha256_of_file', 'sha256_of_folder', 'write_json'],
        '.pictures': ['save_png'],
        '.settings': ['differences', 'plain', 'plain_numbers'],
    },
)
