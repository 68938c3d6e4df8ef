# docker build -t mmsmoke .     docs/install.md tells how to run it
FROM python:3.11-slim

RUN apt-get update && \
    apt-get install -y --no-install-recommends libgl1 libglib2.0-0 make g++ git && \
    rm -rf /var/lib/apt/lists/*

COPY . /opt/mmsmoke
WORKDIR /opt/mmsmoke
# the address of an index that has PyTorch without CUDA makes the image smaller
ARG TORCH_INDEX=
RUN make .venv/bin/python && \
    if [ -n "$TORCH_INDEX" ]; then \
        .venv/bin/python -m pip install --index-url "$TORCH_INDEX" torch torchvision; \
    fi && \
    PIP_NO_CACHE_DIR=1 make install

RUN useradd --create-home mmsmoke && mkdir /work && chown mmsmoke /work
USER mmsmoke
WORKDIR /work
ENTRYPOINT ["/opt/mmsmoke/.venv/bin/mmsmoke"]
