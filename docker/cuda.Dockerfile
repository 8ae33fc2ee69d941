# arco-tvm on top of an image that has a TVM 0.19 of its own: one that was built for CUDA, say.
#
#   docker build -f docker/cuda.Dockerfile --build-arg BASE=my-tvm-cuda:0.19 -t arco-tvm:cuda docker
#
# Nothing of TVM is linked in: the program asks PYTHON, the interpreter that imports TVM there, where it is.
ARG ARCO=arco-tvm
ARG BASE
FROM ${ARCO} AS arco

FROM ${BASE}
ARG PYTHON=python3
COPY --from=arco /opt/arco-tvm/dist /opt/arco-tvm/dist
COPY --from=arco /opt/arco-tvm/bin/arco-tvm /opt/arco-tvm/bin/libarco_tvm.so /opt/arco-tvm/bin/
RUN ${PYTHON} -m pip install --no-index --no-deps /opt/arco-tvm/dist/*.whl && /opt/arco-tvm/bin/arco-tvm --version
ENV ARCO_PYTHON=${PYTHON} \
    ARCO_TVM_LIBRARY=/opt/arco-tvm/bin/libarco_tvm.so
WORKDIR /work
ENTRYPOINT ["/opt/arco-tvm/bin/arco-tvm"]
CMD ["--help"]
