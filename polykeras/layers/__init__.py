"""Layers: one file each, families sharing a rank-generic base."""

from polykeras.layers._input_spec import InputSpec
from polykeras.layers.activation.elu import ELU
from polykeras.layers.activation.leaky_relu import LeakyReLU
from polykeras.layers.activation.prelu import PReLU
from polykeras.layers.activation.relu import ReLU
from polykeras.layers.activation.softmax import Softmax
from polykeras.layers.attention.additive_attention import AdditiveAttention
from polykeras.layers.attention.attention import Attention
from polykeras.layers.attention.grouped_query_attention import GroupedQueryAttention
from polykeras.layers.attention.multi_head_attention import MultiHeadAttention
from polykeras.layers.convolutional.conv import Conv1D, Conv2D, Conv3D
from polykeras.layers.convolutional.conv_transpose import (
    Conv1DTranspose,
    Conv2DTranspose,
    Conv3DTranspose,
)
from polykeras.layers.convolutional.depthwise_conv import (
    DepthwiseConv1D,
    DepthwiseConv2D,
)
from polykeras.layers.convolutional.separable_conv import (
    SeparableConv1D,
    SeparableConv2D,
)
from polykeras.layers.core.activation import Activation
from polykeras.layers.core.dense import Dense
from polykeras.layers.core.einsum_dense import EinsumDense
from polykeras.layers.core.embedding import Embedding
from polykeras.layers.core.identity import Identity
from polykeras.layers.core.input_layer import Input, InputLayer
from polykeras.layers.core.lambda_layer import Lambda
from polykeras.layers.core.masking import Masking
from polykeras.layers.core.wrapper import Wrapper
from polykeras.layers.layer import Layer
from polykeras.layers.merging.add import Add, add
from polykeras.layers.merging.average import Average, average
from polykeras.layers.merging.concatenate import Concatenate, concatenate
from polykeras.layers.merging.dot import Dot, dot
from polykeras.layers.merging.maximum import Maximum, maximum
from polykeras.layers.merging.minimum import Minimum, minimum
from polykeras.layers.merging.multiply import Multiply, multiply
from polykeras.layers.merging.subtract import Subtract, subtract
from polykeras.layers.normalization.batch_normalization import BatchNormalization
from polykeras.layers.normalization.group_normalization import GroupNormalization
from polykeras.layers.normalization.layer_normalization import LayerNormalization
from polykeras.layers.normalization.rms_normalization import RMSNormalization
from polykeras.layers.normalization.spectral_normalization import SpectralNormalization
from polykeras.layers.normalization.unit_normalization import UnitNormalization
from polykeras.layers.pooling.adaptive_average_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
)
from polykeras.layers.pooling.adaptive_max_pooling import (
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from polykeras.layers.pooling.average_pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
)
from polykeras.layers.pooling.global_average_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
)
from polykeras.layers.pooling.global_max_pooling import (
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from polykeras.layers.pooling.max_pooling import (
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from polykeras.layers.preprocessing.category_encoding import CategoryEncoding
from polykeras.layers.preprocessing.center_crop import CenterCrop
from polykeras.layers.preprocessing.discretization import Discretization
from polykeras.layers.preprocessing.hashed_crossing import HashedCrossing
from polykeras.layers.preprocessing.hashing import Hashing
from polykeras.layers.preprocessing.integer_lookup import IntegerLookup
from polykeras.layers.preprocessing.normalization import Normalization
from polykeras.layers.preprocessing.random_brightness import RandomBrightness
from polykeras.layers.preprocessing.random_contrast import RandomContrast
from polykeras.layers.preprocessing.random_crop import RandomCrop
from polykeras.layers.preprocessing.random_flip import RandomFlip
from polykeras.layers.preprocessing.random_rotation import RandomRotation
from polykeras.layers.preprocessing.random_translation import RandomTranslation
from polykeras.layers.preprocessing.random_zoom import RandomZoom
from polykeras.layers.preprocessing.rescaling import Rescaling
from polykeras.layers.preprocessing.resizing import Resizing
from polykeras.layers.preprocessing.string_lookup import StringLookup
from polykeras.layers.preprocessing.text_vectorization import TextVectorization
from polykeras.layers.recurrent.bidirectional import Bidirectional
from polykeras.layers.recurrent.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from polykeras.layers.recurrent.gru import GRU
from polykeras.layers.recurrent.gru_cell import GRUCell
from polykeras.layers.recurrent.lstm import LSTM
from polykeras.layers.recurrent.lstm_cell import LSTMCell
from polykeras.layers.recurrent.rnn import RNN
from polykeras.layers.recurrent.simple_rnn import SimpleRNN
from polykeras.layers.recurrent.simple_rnn_cell import SimpleRNNCell
from polykeras.layers.recurrent.stacked_rnn_cells import StackedRNNCells
from polykeras.layers.recurrent.time_distributed import TimeDistributed
from polykeras.layers.regularization.activity_regularization import (
    ActivityRegularization,
)
from polykeras.layers.regularization.alpha_dropout import AlphaDropout
from polykeras.layers.regularization.dropout import Dropout
from polykeras.layers.regularization.gaussian_dropout import GaussianDropout
from polykeras.layers.regularization.gaussian_noise import GaussianNoise
from polykeras.layers.regularization.spatial_dropout import (
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from polykeras.layers.reshaping.cropping import Cropping1D, Cropping2D, Cropping3D
from polykeras.layers.reshaping.flatten import Flatten
from polykeras.layers.reshaping.permute import Permute
from polykeras.layers.reshaping.repeat_vector import RepeatVector
from polykeras.layers.reshaping.reshape import Reshape
from polykeras.layers.reshaping.up_sampling import (
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
)
from polykeras.layers.reshaping.zero_padding import (
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from polykeras.layers.serialization import deserialize, serialize

GroupQueryAttention = GroupedQueryAttention

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "CategoryEncoding",
    "CenterCrop",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Discretization",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "GroupQueryAttention",
    "GroupedQueryAttention",
    "HashedCrossing",
    "Hashing",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "IntegerLookup",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "StackedRNNCells",
    "StringLookup",
    "Subtract",
    "TextVectorization",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]

# Keras' second names.
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
Convolution1D = Conv1D
Convolution1DTranspose = Conv1DTranspose
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
Convolution3D = Conv3D
Convolution3DTranspose = Conv3DTranspose
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
