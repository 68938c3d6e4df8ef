"""Files as annotation tools write them, all of the same two shapes."""

import json

CLASSES = ('smoke', 'steam')
SIZE = WIDTH, HEIGHT = 20, 10
SQUARE = [[2, 1], [8, 1], [8, 7], [2, 7]]
INNER = [[4, 3], [6, 3], [6, 5], [4, 5]]

LABELME = {
    'version': '5.4.1',
    'flags': {},
    'shapes': [
        {'label': 'smoke', 'points': SQUARE, 'group_id': None, 'description': '',
         'shape_type': 'polygon', 'flags': {}, 'mask': None},
        {'label': '_background_', 'points': INNER, 'group_id': None, 'shape_type': 'polygon',
         'flags': {}},
        {'label': 'steam', 'points': [[10, 2], [14, 9]], 'shape_type': 'rectangle', 'flags': {}},
        {'label': '__ignore__', 'points': [[18, 0], [20, 0], [20, 10], [18, 10]],
         'shape_type': 'polygon', 'flags': {}},
    ],
    'imagePath': '..\\photos\\north\\1.png',
    'imageData': None,
    'imageHeight': HEIGHT,
    'imageWidth': WIDTH,
}  # fmt: skip
CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <task><id>7</id><name>smoke &lt;b&gt;</name><size>1</size><mode>annotation</mode>
      <labels><label><name>smoke</name><color>#ff0000</color><attributes></attributes></label>
      </labels>
    </task>
    <dumped>2026-03-01 10:00:00.000000+00:00</dumped>
  </meta>
  <image id="0" name="north/1.png" subset="default" task_id="7" width="20" height="10">
    <tag label="windy" source="manual"></tag>
    <polygon label="background" source="manual" occluded="0" z_order="1"
      points="4.00,3.00;6.00,3.00;6.00,5.00;4.00,5.00"></polygon>
    <polygon label="smoke" source="manual" occluded="0" z_order="0"
      points="2.00,1.00;8.00,1.00;8.00,7.00;2.00,7.00">
      <attribute name="opacity">high</attribute>
    </polygon>
    <box label="steam" source="manual" occluded="0" xtl="10.00" ytl="2.00" xbr="14.00" ybr="9.00"
      z_order="0"></box>
    <mask label="ignore" source="manual" occluded="0" rle="0, 20" left="18" top="0" width="2"
      height="10" z_order="0"></mask>
  </image>
</annotations>
"""


def region(kind, label, size=SIZE, **value):
    return {'original_width': size[0], 'original_height': size[1], 'image_rotation': 0,
            'value': {**value, kind: [label]}, 'id': 'Xy1', 'from_name': 'label',
            'to_name': 'image', 'type': kind, 'origin': 'manual'}  # fmt: skip


def percents(points):
    return [[100 * x / WIDTH, 100 * y / HEIGHT] for x, y in points]


def slit(outer, hole):
    return [*outer, outer[0], hole[0], *hole[::-1], outer[0]]


STUDIO_RESULT = [
    region('polygonlabels', 'smoke', points=percents(slit(SQUARE, INNER)), closed=True),
    region('rectanglelabels', 'steam', x=50.0, y=20.0, width=20.0, height=70.0, rotation=0),
    region('polygonlabels', 'ignore', points=percents([[18, 0], [20, 0], [20, 10], [18, 10]])),
    {'value': {'choices': ['windy']}, 'id': 'q', 'from_name': 'c', 'to_name': 'image',
     'type': 'choices'},
]  # fmt: skip


def task(image, *results, **more):
    annotations = [{'id': n, 'completed_by': 1, 'was_cancelled': False, 'result': result}
                   for n, result in enumerate(results, 1)]  # fmt: skip
    return {'id': 3, 'annotations': annotations, 'file_upload': 'x', 'predictions': [],
            'data': {'image': image}, 'meta': {}, **more}  # fmt: skip


STUDIO = [task('/data/upload/4/1a2b3c4d-1.png', [], STUDIO_RESULT)]
COCO = {
    'info': {'description': ''},
    'licenses': [],
    'categories': [{'id': 0, 'name': 'things', 'supercategory': 'none'}]
    + [{'id': n, 'name': name, 'supercategory': 'things'}
       for n, name in enumerate(('steam', 'smoke', 'ignore'), 1)],
    'images': [{'id': 5, 'file_name': 'north/1.png', 'width': WIDTH, 'height': HEIGHT,
                'license': 0, 'date_captured': ''}],
    'annotations': [
        {'id': 1, 'image_id': 5, 'category_id': 2, 'iscrowd': 1, 'area': 32, 'bbox': [2, 1, 6, 6],
         'segmentation': {'size': [10, 20], 'counts': [
             21, 6, 4, 6, 4, 2, 2, 2, 4, 2, 2, 2, 4, 6, 4, 6, 123]}},
        {'id': 2, 'image_id': 5, 'category_id': 1, 'iscrowd': 0, 'area': 28, 'bbox': [10, 2, 4, 7],
         'segmentation': [[10, 2, 14, 2, 14, 9, 10, 9]]},
        {'id': 3, 'image_id': 5, 'category_id': 3, 'iscrowd': 0, 'area': 20, 'bbox': [18, 0, 2, 10],
         'segmentation': [[18, 0, 20, 0, 20, 10, 18, 10]]},
    ],
}  # fmt: skip
GIVEN = {'labelme': LABELME, 'cvat': CVAT, 'label-studio': STUDIO, 'coco': COCO}


def changed(content, change, *path):
    """Return a copy with another value at a place."""
    content = json.loads(json.dumps(content))
    place = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = change
    return content
