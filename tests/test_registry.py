from mmengine import registry as root

import mmsmoke.registry


def test_every_registry_of_mmengine_has_a_child():
    names = [name for name in dir(root) if isinstance(getattr(root, name), root.Registry)]
    parents = {getattr(root, name).name for name in names}
    children = {
        value.name: value
        for value in vars(mmsmoke.registry).values()
        if isinstance(value, root.Registry) and value.scope == 'mmsmoke'
    }
    assert parents == children.keys()
