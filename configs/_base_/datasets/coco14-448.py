# COCO 2014, 80 classes: tools/dataset_converters/coco2014.py. Prepared as VOC is; of the 40,137
# images of val a tenth validates, and all are tested.
_base_ = './voc-448.py'

dataset_type = 'mmsmoke.COCODataset'
data_root = 'data/coco14'
train_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
val_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root, num_images=4000))
test_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
