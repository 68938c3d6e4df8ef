from mmsmoke.experiments import work
from mmsmoke.utils import plain, read_json


class Here:
    """Do steps in this process, which has loaded everything: processes take seconds to start."""

    def run(self, folder, parallel):
        call = read_json(folder / 'call.json')
        return plain(work.KINDS[call['kind']].function(folder, **call['arguments']))

    def stop(self):
        pass
