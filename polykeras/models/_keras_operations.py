"""The operations that Keras' files name, and how their arguments are split.

Keras stores a call of an op in a graph as an object of a class: some arguments stand
in its config, as for a layer, and the others in the call. Each row is the class, the
arguments of the call, and after a slash those of the config.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from polykeras.ops._declare import Op
from polykeras.ops._registry import REGISTRY
from polykeras.symbolic import any_symbolic

__all__ = ["KerasOperation", "operation_of_class", "operation_of_op"]


@dataclass(frozen=True)
class KerasOperation:
    """How Keras' files name an op.

    Attributes:
        op: The name of our op.
        module: The module that the files name.
        class_name: The class that they name.
        call: Arguments of the call, in order; ``*name`` takes all that are left.
        config: Arguments in the config.
    """

    op: str
    module: str
    class_name: str
    call: tuple[str, ...]
    config: tuple[str, ...]

    def can_express(self, op: Op, values: dict[str, Any]) -> bool:
        """Return whether Keras' form holds all that a call says.

        Args:
            op: The op that is called.
            values: Its arguments by name.
        """
        written = {*(name.lstrip("*") for name in self.call), *self.config}
        defaults = dict(zip(op.names, op.defaults, strict=True))
        return not any_symbolic([values.get(name) for name in self.config]) and all(
            name in written or values[name] is defaults[name] for name in values
        )


def operation_of_class(class_name: str) -> KerasOperation | None:
    """Return the operation that a file names, or None."""
    return _table()[0].get(class_name)


def operation_of_op(op: str) -> KerasOperation | None:
    """Return how a file names an op, or None."""
    return _table()[1].get(op)


@cache
def _table() -> tuple[dict[str, KerasOperation], dict[str, KerasOperation]]:
    names = {name.replace("_", ""): name for name in REGISTRY}
    by_class: dict[str, KerasOperation] = {}
    by_op: dict[str, KerasOperation] = {}
    for module, rows in _ROWS.items():
        for row in rows.strip().splitlines():
            call, _, config = row.partition("/")
            class_name, *arguments = call.split()
            op = _OTHER_NAMES.get(class_name) or names[class_name.lower()]
            found = KerasOperation(
                op,
                f"keras.src.ops.{module}",
                class_name,
                tuple(arguments),
                tuple(config.split()),
            )
            by_class[class_name] = found
            by_op.setdefault(op, found)
    return by_class, by_op


# Classes that are not named after the op.
_OTHER_NAMES: Final = {
    "Absolute": "abs",
    "BitwiseInvert": "bitwise_not",
    "BitwiseLeftShift": "left_shift",
    "BitwiseRightShift": "right_shift",
    "Conjugate": "conj",
    "TrueDivide": "divide",
    "BatchNorm": "batch_normalization",
    "RMSNorm": "rms_normalization",
    "LayerNorm": "layer_normalization",
}

_ROWS: Final = {
    "core": """
AssociativeScan f elems / reverse axis
Cast x / dtype
Cond pred true_fn false_fn
ForiLoop init_val / lower upper body_fun
Map f xs
SaturateCast x / dtype
Scan f init xs / length reverse unroll
Scatter indices values / shape
ScatterUpdate inputs indices updates / reduction
Slice inputs start_indices / shape
SliceUpdate inputs start_indices updates
StopGradient variable
Switch index branches *operands
Unstack x / num axis
VectorizedMap elements / function
WhileLoop loop_vars / cond body maximum_iterations
""",
    "image": """
AffineTransform images transform / interpolation fill_mode fill_value data_format
CropImages images / top_cropping left_cropping bottom_cropping right_cropping \
target_height target_width data_format
ElasticTransform images / alpha sigma interpolation fill_mode fill_value seed \
data_format
ExtractPatches images / size strides dilation_rate padding data_format
GaussianBlur images / kernel_size sigma data_format
HSVToRGB images / data_format
MapCoordinates inputs coordinates / order fill_mode fill_value
PadImages images / top_padding left_padding bottom_padding right_padding \
target_height target_width data_format
PerspectiveTransform images start_points end_points / interpolation fill_value \
data_format
RGBToGrayscale images / data_format
RGBToHSV images / data_format
Resize images / size interpolation antialias crop_to_aspect_ratio \
pad_to_aspect_ratio fill_mode fill_value data_format
SSIM image1 image2 / max_val filter_size filter_sigma k1 k2 data_format
ScaleAndTranslate images output_shape scale translation / spatial_dims method antialias
SobelEdges images / data_format
""",
    "linalg": """
Cholesky x / upper
CholeskyInverse x / upper
Det x
Eig x
Eigh x
Inv x
Lstsq a b / rcond
LuFactor x
MatrixRank x / tol
Norm x / ord axis keepdims
Pinv x / rcond
Qr x / mode
SVD x / full_matrices compute_uv
Solve a b
SolveTriangular a b / lower
""",
    "math": """
CDist x y
Erf x
Erfc x
Erfinv x
ExtractSequences x / sequence_length sequence_stride
FFT x
FFT2 x
IFFT2 x
IRFFT x / fft_length
ISTFT x / sequence_length sequence_stride fft_length length window center
InTopK targets predictions / k
Logdet x
Logsumexp x / axis keepdims
RFFT x / fft_length
Rsqrt x
STFT x / sequence_length sequence_stride fft_length window center
SegmentMax data segment_ids / num_segments sorted
SegmentMin data segment_ids / num_segments sorted
SegmentProd data segment_ids / num_segments sorted
SegmentSum data segment_ids / num_segments sorted
TopK x / k sorted
ViewAsComplex x
ViewAsReal x
""",
    "nn": """
AdaptiveAveragePool inputs / output_size data_format
AdaptiveMaxPool inputs / output_size data_format
AveragePool inputs / pool_size strides padding data_format
BatchNorm x mean variance offset scale / axis epsilon
BinaryCrossentropy target output / from_logits
CTCDecode inputs sequence_lengths / strategy beam_width top_paths merge_repeated \
mask_index
CTCLoss target output target_length output_length / mask_index
CategoricalCrossentropy target output / from_logits axis
Celu x / alpha
Conv inputs kernel / strides padding data_format dilation_rate
ConvTranspose inputs kernel / strides padding output_padding data_format dilation_rate
DepthToSpace x / block_size data_format
DepthwiseConv inputs kernel / strides padding data_format dilation_rate
DotProductAttention query key value bias mask scale / is_causal flash_attention \
attn_logits_soft_cap
Elu x / alpha
Fold x / output_size kernel_size dilation padding stride
Gelu x / approximate
Glu x / axis
HardShrink x / threshold
HardSigmoid x
HardSilu x
HardTanh x
LayerNorm x gamma beta / axis epsilon rms_scaling
LeakyRelu x / negative_slope
LogSigmoid x
LogSoftmax x / axis
MaxPool inputs / pool_size strides padding data_format
Moments x / axes keepdims synchronized
MultiHot inputs / num_classes axis dtype sparse
Normalize x / axis order epsilon
OneHot x / num_classes axis dtype sparse
PSNR x1 x2 / max_val
Polar abs_ angle
RMSNorm x scale / axis epsilon
Relu x
Relu6 x
Selu x
SeparableConv inputs depthwise_kernel pointwise_kernel / strides padding data_format \
dilation_rate
Sigmoid x
Silu x
SoftShrink x / threshold
Softmax x / axis
Softplus x
Softsign x
SpaceToDepth x / block_size data_format
SparseCategoricalCrossentropy target output / from_logits axis
SparsePlus x
SparseSigmoid x
Sparsemax x / axis
Squareplus x / b
TanhShrink x
Threshold x / threshold default_value
Unfold x / kernel_size dilation padding stride
""",
    "numpy": """
Abs x
Absolute x
Add x1 x2
All x / axis keepdims
AllClose x1 x2 / rtol atol equal_nan
Amax x / axis keepdims
Amin x / axis keepdims
Angle x
Any x / axis keepdims
Append x1 x2 / axis
Arange start stop step / dtype
Arccos x
Arccosh x
Arcsin x
Arcsinh x
Arctan x
Arctan2 x1 x2
Arctanh x
Argmax x / axis keepdims
Argmin x / axis keepdims
Argpartition x / kth axis
Argsort x / axis
Array x / dtype
ArraySplit x / indices_or_sections axis
Average x weights / axis
Bincount x / weights minlength sparse
BitwiseAnd x y
BitwiseInvert x
BitwiseLeftShift x y
BitwiseNot x
BitwiseOr x y
BitwiseRightShift x y
BitwiseXor x y
BroadcastTo x / shape
Cbrt x
Ceil x
Clip x / x_min x_max
Concatenate xs / axis
Conj x
Conjugate x
Copy x
Corrcoef x
Correlate x1 x2 / mode
Cos x
Cosh x
CountNonzero x / axis
Cross x1 x2 / axisa axisb axisc axis
Cumprod x / axis dtype
Cumsum x / axis dtype
Deg2rad x
Diag x / k
Diagflat x / k
Diagonal x / offset axis1 axis2
Diff a / n axis
Digitize x bins
Divide x1 x2
DivideNoNan x1 x2
Dot x1 x2
Dsplit x / indices_or_sections
Dstack xs
Einsum *operands / subscripts
EmptyLike x / dtype
Equal x1 x2
Exp x
Exp2 x
ExpandDims x / axis
Expm1 x
Fabs x
Flip x / axis
Fliplr x
Flipud x
Floor x
FloorDivide x1 x2
Fmax x1 x2
Fmin x1 x2
Fmod x1 x2
Full fill_value / shape dtype
FullLike x fill_value / dtype
Gcd x1 x2
Geomspace start stop / num endpoint dtype axis
GetItem x key
Greater x1 x2
GreaterEqual x1 x2
Heaviside x1 x2
Histogram x / bins range
Hsplit x / indices_or_sections
Hstack xs
Hypot x1 x2
I0 x
Imag x
Inner x1 x2
IsIn x1 x2 / assume_unique invert
Isclose x1 x2 rtol atol / equal_nan
Isfinite x
Isinf x
Isnan x
Isneginf x
Isposinf x
Isreal x
Kron x1 x2
Lcm x1 x2
Ldexp x1 x2
LeftShift x y
Less x1 x2
LessEqual x1 x2
Linspace start stop / num endpoint retstep dtype axis
Log x
Log10 x
Log1p x
Log2 x
Logaddexp x1 x2
Logaddexp2 x1 x2
LogicalAnd x1 x2
LogicalNot x
LogicalOr x1 x2
LogicalXor x1 x2
Logspace start stop / num endpoint base dtype axis
Matmul x1 x2
Max x / axis keepdims initial
Maximum x1 x2
Mean x / axis keepdims
Median x / axis keepdims
Meshgrid *x / indexing
Min x / axis keepdims initial
Minimum x1 x2
Mod x1 x2
Moveaxis x / source destination
Multiply x1 x2
NanToNum x / nan posinf neginf
Nanargmax x / axis keepdims
Nanargmin x / axis keepdims
Nancumprod x / axis dtype
Nancumsum x / axis dtype
Nanmax x / axis keepdims
Nanmean x / axis keepdims
Nanmedian x / axis keepdims
Nanmin x / axis keepdims
Nanpercentile x q / axis method keepdims
Nanprod x / axis keepdims
Nanquantile x q / axis method keepdims
Nanstd x / axis keepdims
Nansum x / axis keepdims
Nanvar x / axis keepdims
Negative x
Nextafter x1 x2
Nonzero x
NotEqual x1 x2
OnesLike x / dtype
Outer x1 x2
Pad x constant_values / pad_width mode
Percentile x q / axis method keepdims
Power x1 x2
Prod x / axis keepdims dtype
Ptp x / axis keepdims
Quantile x q / axis method keepdims
Rad2deg x
Ravel x
Real x
Reciprocal x
Repeat x / repeats axis
Reshape x / newshape
RightShift x y
Roll x / shift axis
Rot90 array / k axes
Round x / decimals
SearchSorted sorted_sequence values / side
Select condlist choicelist default
Sign x
Signbit x
Sin x
Sinc x
Sinh x
Slogdet x
Sort x / axis
Split x / indices_or_sections axis
Sqrt x
Square x
Squeeze x / axis
Stack x / axis
Std x / axis keepdims
Subtract x1 x2
Sum x / axis keepdims
Swapaxes x / axis1 axis2
Take x indices / axis
TakeAlongAxis x indices / axis
Tan x
Tanh x
Tensordot x1 x2 / axes
Tile x / repeats
Trace x / offset axis1 axis2
Transpose x / axes
Trapezoid y / x dx axis
Tril x / k
Triu x / k
TrueDivide x1 x2
Trunc x
Unique x / sorted return_index return_inverse return_counts axis size fill_value
UnravelIndex indices / shape
Vander x / N increasing
Var x / axis keepdims
Vdot x1 x2
View x / dtype
Vsplit x / indices_or_sections
Vstack xs
Where condition x1 x2
ZerosLike x / dtype
""",
}
