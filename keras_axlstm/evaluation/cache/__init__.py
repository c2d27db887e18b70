"""Embeddings that are computed once: kept by the content of the audio and the model."""

from keras_axlstm.evaluation.cache.embed_task import embed_task as embed_task
from keras_axlstm.evaluation.cache.embedding_store import EmbeddingStore as EmbeddingStore
