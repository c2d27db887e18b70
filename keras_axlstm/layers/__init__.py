"""Layers of AxLSTM and SSAST, one a file."""

from keras_axlstm.layers.axlstm_block import AxLSTMBlock as AxLSTMBlock
from keras_axlstm.layers.causal_convolution import CausalConvolution as CausalConvolution
from keras_axlstm.layers.class_token import ClassToken as ClassToken
from keras_axlstm.layers.headwise_projection import HeadwiseProjection as HeadwiseProjection
from keras_axlstm.layers.log_mel_spectrogram import LogMelSpectrogram as LogMelSpectrogram
from keras_axlstm.layers.mixup import Mixup as Mixup
from keras_axlstm.layers.mlstm import MLSTM as MLSTM
from keras_axlstm.layers.multi_head_norm import MultiHeadNorm as MultiHeadNorm
from keras_axlstm.layers.patch_embedding import PatchEmbedding as PatchEmbedding
from keras_axlstm.layers.patch_masking import PatchMasking as PatchMasking
from keras_axlstm.layers.reconstruction_head import ReconstructionHead as ReconstructionHead
from keras_axlstm.layers.self_attention import SelfAttention as SelfAttention
from keras_axlstm.layers.sequence_pooling import SequencePooling as SequencePooling
from keras_axlstm.layers.sine_cosine_position import SineCosinePosition as SineCosinePosition
from keras_axlstm.layers.spec_augment import SpecAugment as SpecAugment
from keras_axlstm.layers.transformer_block import TransformerBlock as TransformerBlock
