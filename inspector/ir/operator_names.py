"""The table of operators: each category, its canonical names, and how the formats spell them.

Spellings are reduced as `operators.canonical` does it: lower-case letters and digits, without namespace, overload,
version and dimensionality. It is data alone, one line to a name, which is why it may be long.
"""

from __future__ import annotations

# Category: canonical name: other spellings, reduced. A spelling stands once in the whole table.
NAMES: dict[str, dict[str, str]] = {
    "linear": {
        "linear": (
            "dense fullyconnected gemm linearleaky addmm qgemm fusedmatmulbiasadd linearrelu einsumdense "
            "lineardynamic ndquantizedlinear linearpackedparams nondynamicallyquantizablelinear lazylinear "
            "linearbn fusedgemm lineardynamicfp16 linearreludynamic linearreludynamicfp16 linearleakyrelu lineartanh "
            "linearclamprun linearwithinputqdqqweightdqoutputfp32 linearwithinputqdqqweightdqreluoutputfp32 "
            "addmmactivation mkldnnlinear"
        ),
        "matmul": (
            "mm bmm batchmatmul matvec mv dot vdot inner matmulinteger qlinearmatmul sparsematmul baddbmm addbmm "
            "addmv fusedmatmul matmulnbits matmulbnb4 gemmfloat8 linalgmatmul intmm scaledmm dynamicquantizematmul "
            "matmulintegertofloat transposematmul fusedmatmulactivation sparsetodensematmul linalgvecdot groupedmm "
            "scaledgroupedmm weightint8packmm weightint4packmm weightint4packmmforcpu "
            "weightint4packmmwithscalesandzeros dynquantmatmul4bit fbgemmlinearint8weight "
            "fbgemmlinearint8weightfp32activation fbgemmlinearfp16weight fbgemmlinearfp16weightfp32activation"
        ),
        "bilinear": "",
        "einsum": "",
        "tensordot": "",
        "matrix_chain": "linalgmultidot chainmatmul",
        "outer": "ger addr linalgouter",
        "matrix_power": "linalgmatrixpower",
        "fft": (
            "fftfft fftifft fftrfft fftirfft fftfft2 fftifft2 fftrfft2 fftirfft2 fftfftn fftifftn fftrfftn fftirfftn "
            "ffthfft fftihfft fftc2c fftr2c fftc2r"
        ),
        "stft": "istft",
        "distances": "cdist cdistforward",
    },
    "convolution": {
        "conv": (
            "convolution depthwiseconv separableconv convinteger qlinearconv depthwiseconvnative fusedconv "
            "convrelu convbn convbnrelu convforward conv1dforward cudnnconvolution mkldnnconvolution thnnconv "
            "atrousconv lazyconv causalconvwithstate slowconvforward fuseddepthwiseconvnative nhwcconv "
            "nhwcfusedconv groupconvolution "
            "binaryconvolution convolutionmode convdynamic convadd convaddrelu convclamprun cudnnconvolutionrelu "
            "cudnnconvolutionaddrelu convdepthwise slowconvdilated slowconv miopenconvolution miopenconvolutionrelu "
            "miopenconvolutionaddrelu miopendepthwiseconvolution nnpackspatialconvolution mpsconvolution"
        ),
        "conv_transpose": (
            "convtranspose transposeconv convbackpropinput depthwiseconvnativebackpropinput lazyconvtranspose "
            "convolutiontranspose convolutionbackpropdata groupconvolutionbackpropdata convtransposedynamic "
            "convtransposeclamprun cudnnconvolutiontranspose slowconvtranspose miopenconvolutiontranspose "
            "mpsconvolutiontranspose"
        ),
        "deform_conv": "deformableconv deformableconvolution",
        "fold": "col2im im2col unfold extractimagepatches extractvolumepatches extractpatches unfoldcopy",
    },
    "normalisation": {
        "batch_norm": (
            "batchnormalization batchnorm fusedbatchnorm fusedbatchnormex nativebatchnorm "
            "nativebatchnormlegitnotraining nativebatchnormlegit nativebatchnormlegitfunctional syncbatchnorm "
            "cudnnbatchnorm batchnormwithupdate spatialbn lazybatchnorm frozenbatchnorm "
            "batchnormwithglobalnormalization batchnorminference batchnormrelu batchnormimplindex batchnormelemt "
            "quantizedbatchnorm"
        ),
        "layer_norm": (
            "layernormalization nativelayernorm skiplayernormalization simplifiedlayernormalization "
            "skipsimplifiedlayernormalization layernormfn llamanorm"
        ),
        "rms_norm": "rms rmsnormalization fusedrmsnorm llamarmsnorm t5layernorm qwen2rmsnorm",
        "group_norm": "groupnormalization nativegroupnorm groupnormfn",
        "instance_norm": "instancenormalization lazyinstancenorm",
        "l2_norm": (
            "lpnormalization l2normalization unitnormalization normalize meanvariancenormalization "
            "linalgvectornorm vectornorm weightnorm renorm normalizel2 mvn weightnorminterface"
        ),
        "lrn": "localresponsenormalization localresponsenorm crossmaplrn",
        "normalization": "normalizer scaler",
    },
    "activation": {
        "relu": "reluonnx relun1to1 relu0to1 threshold",
        "relu6": "",
        "leaky_relu": "leakyrelu rrelu rreluwithnoise",
        "prelu": "preluweights prelukernel",
        "elu": "celu",
        "selu": "",
        "gelu": "fastgelu quickgelu biasgelu newgeluactivation geluactivation",
        "silu": "swish",
        "mish": "",
        "sigmoid": "logistic specialexpit sparsesigmoid",
        "log_sigmoid": "logsigmoid logsigmoidforward",
        "hard_sigmoid": "hardsigmoid hsigmoid",
        "hard_swish": "hardswish hardsilu hswish",
        "tanh": "",
        "hard_tanh": "hardtanh",
        "softmax": "safesoftmax sparsesoftmax sparsemax hardmax specialsoftmax maskedsoftmax",
        "log_softmax": "logsoftmax speciallogsoftmax",
        "softmin": "",
        "softplus": "",
        "softsign": "",
        "shrink": "softshrink hardshrink tanhshrink",
        "thresholded_relu": "thresholdedrelu",
        "glu": "swiglu geglu",
        "activation": "activations",
    },
    "pooling": {
        "max_pool": (
            "maxpool maxpooling maxpoolwithindices qlinearmaxpool maxpoolwithmask fractionalmaxpool maxpoolwithargmax "
            "quantizedmaxpool mkldnnmaxpool"
        ),
        "average_pool": "averagepool averagepooling avgpool qlinearaveragepool",
        "lp_pool": "lppool",
        "adaptive_average_pool": "adaptiveavgpool adaptiveaveragepooling mkldnnadaptiveavgpool",
        "adaptive_max_pool": "adaptivemaxpool adaptivemaxpooling",
        "global_average_pool": "globalaveragepool globalaveragepooling globalavgpool qlinearglobalaveragepool",
        "global_max_pool": "globalmaxpool globalmaxpooling globallppool",
        "max_unpool": "maxunpool",
        "loss": (
            "crossentropyloss nllloss nlllossnd mseloss l1loss smoothl1loss huberloss kldiv binarycrossentropy "
            "binarycrossentropywithlogits marginrankingloss cosineembeddingloss tripletmarginloss ctcloss "
            "multimarginloss softmarginloss poissonnllloss hingeembeddingloss multilabelmarginloss "
            "categoricalcrossentropy sparsecategoricalcrossentropy"
        ),
        "roi_align": "roialign roipool maxroipool psroialign",
        "reduce_sum": (
            "sumdim nansum reducel1 reducesumsquare reducelogsum reducelogsumexp logsumexp trace trapezoid trapz "
            "countnonzero histc bincount sumtosize"
        ),
        "reduce_mean": (
            "nanmean varmean var std stdmean median nanmedian mode quantile nanquantile kthvalue nanstd nanvar "
            "percentile nanpercentile moments ptp"
        ),
        "reduce_max": "amax aminmax nanmax",
        "reduce_min": "amin nanmin",
        "reduce_prod": "nanprod",
        "reduce_norm": (
            "norm reducel2 euclideannorm frobeniusnorm linalgnorm linalgmatrixnorm dist nuclearnorm pairwisedistance "
            "pdist cosinesimilarity"
        ),
        "reduce_any": "any reduceall all",
        "arg_max": "argmax nanargmax",
        "arg_min": "argmin nanargmin",
    },
    "attention": {
        "sdpa": (
            "scaleddotproductattention scaleddotproductflashattention scaleddotproductefficientattention "
            "scaleddotproductcudnnattention scaleddotproductattentionmath scaleddotproductflashattentionforcpu "
            "flexattention flashattention packedmultiheadattention scaleddotproductfusedattentionoverrideable "
            "dotproductattention"
        ),
        "attention": (
            "additiveattention groupqueryattention linearattention decodermaskedmultiheadattention qattention "
            "longformerattention sparseattention pagedattention groupedqueryattentiononnx pagedattentionextension"
        ),
        "multi_head_attention": (
            "multiheadattention groupedqueryattention groupqueryattentionlayer nativemultiheadattention "
            "nondynamicallyquantizablemultiheadattention multiheadattentionforward"
        ),
        "transformer": (
            "transformerencoderlayer transformerdecoderlayer transformerencoder transformerdecoder "
            "transformerencoderlayerfwd"
        ),
        "rotary_embedding": "rotaryembedding rope",
    },
    "recurrent": {
        "lstm": (
            "cudnnlstm unidirectionalsequencelstm bidirectionalsequencelstm lstmcell blocklstm "
            "dynamicquantizelstm lstmblockcell convlstm mkldnnrnnlayer quantizedlstm lstmsequence "
            "quantizedlstmcelldynamic"
        ),
        "gru": "cudnngru grucell grublockcell grusequence quantizedgru quantizedgrucelldynamic",
        "rnn": (
            "simplernn rnntanh rnnrelu unidirectionalsequencernn bidirectionalsequencernn rnncell simplernncell "
            "rnnbase rnnsequence quantizedrnntanhcelldynamic quantizedrnnrelucelldynamic rnntanhcell rnnrelucell"
        ),
        "bidirectional": "",
        "svdf": "",
    },
    "elementwise": {
        "add": (
            "addv addn sumn qlinearadd biasadd biasaddv addinteger adds accumulatenv cumsum cumulativelogsumexp "
            "addscalar floatfunctional addrelu addscalarrelu logcumsumexp nancumsum"
        ),
        "sub": "subtract rsub squareddifference diff cumulativetrapezoid",
        "mul": (
            "multiply qlinearmul muls addcmul cumprod mulrelu mulscalar mulscalarrelu kron cross linalgcross ldexp "
            "rad2deg deg2rad nancumprod"
        ),
        "div": "divide truediv realdiv divnonan addcdiv floordiv floordivide truedivide truncatediv xdivy dividenonan",
        "mod": "remainder fmod floormod truncatemod gcd lcm",
        "pow": "square power xlogy xlog1py floatpower specialxlog1py specialxlogy",
        "sqrt": "rsqrt cbrt",
        "exp": "expm1 exp2 specialexp2 specialexpm1",
        "log": "log1p log2 log10 logaddexp logaddexp2 logit speciallogit speciallog1p",
        "abs": "complexabs absolute angle fabs conjugate",
        "neg": "negative negate conj conjphysical",
        "reciprocal": "inv",
        "sign": "sgn copysign heaviside nextafter",
        "maximum": "clampmin fmax cummax",
        "minimum": "clampmax fmin cummin",
        "average": "weightedaverage",
        "clamp": "clip clipbyvalue",
        "round": "ceil floor trunc rint roundhalftoeven frac fix specialround frexp",
        "erf": (
            "erfc erfinv lgamma digamma specialerf specialerfc specialerfinv i0 i1 specialgammaln specialpsi "
            "specialdigamma polygamma mvlgamma specialmultigammaln igamma igammac specialgammainc specialgammaincc "
            "speciali0e speciali1 speciali1e specialentr specialndtr specialndtri speciallogndtr specialerfcx "
            "specialzeta specialpolygamma i0 "
            "betainc"
        ),
        "trigonometric": (
            "sin cos tan asin acos atan atan2 sinh cosh asinh acosh atanh arctan arctan2 arcsin arccos hypot polar "
            "sinc specialsinc"
        ),
        "compare": (
            "eq ne gt ge lt le equal notequal greater greaterequal greaterorequal less lessequal lessorequal isnan "
            "isinf isfinite isclose isneginf isposinf isreal signbit isin allclose digitize intopk discretization"
        ),
        "logical": (
            "not and or xor logicalnot logicaland logicalor logicalxor bitwiseand bitwiseor bitwisenot bitwisexor "
            "bitshift bitwiseleftshift bitwiserightshift rightshift leftshift bitwiseinvert"
        ),
        "where": "select selectv maskedfill wherev nantonum",
        "dropout": (
            "alphadropout featuredropout spatialdropout gaussiandropout gaussiannoise featurealphadropout "
            "nativedropout dropoutx randomflip randomrotation randomzoom randomtranslation randomcontrast "
            "randombrightness"
        ),
        "lerp": "",
        "rescaling": "normalizationlayer rgbtograyscale rgbtohsv hsvtorgb",
        "affine": "imagescaler",
        "quantize": (
            "quantizelinear quantizepertensor quantizeperchannel quantizev fakequantwithminmaxvars fakequantize "
            "dynamicquantizelinear quantstub quantizedynamic fakequantizepertensoraffine "
            "fakequantizeperchannelaffine quantizepertoken quantizepertensordynamic quantizeaffine "
            "fakequantwithminmaxargs"
        ),
        "dequantize": (
            "dequantizelinear dequantizepertensor dequantizeperchannel dequantizetoken dequantstub dequantizeaffine"
        ),
        "cast": (
            "castlike to toccopy tocopy convertelementtype typeas tofloat bitcast todtype castto convert convertlike "
            "int float bool scalarimplicit intimplicit floatimplicit saturatecast "
            "asstring encodebase64 decodebase64 todense tosparse tomkldnn"
        ),
    },
    "shape": {
        "reshape": (
            "view viewas unsafeview flatten batchflatten reshapeas unflatten viewcopy expanddims unsqueeze squeeze "
            "squeezedims unflattenlayer alias viewasreal viewascomplex sparsereshape ravel atleast asstrided "
            "unsqueezecopy squeezecopy viewascomplexcopy viewasrealcopy aliascopy asstridedcopy reshapealias "
            "reshapealiascopy resizeas"
        ),
        "transpose": (
            "permute t swapaxes swapdims movedim moveaxis numpyt adjoint mt mh matrixh permutecopy transposecopy tcopy"
        ),
        "concat": (
            "cat concatenate concatv concatfromsequence hstack vstack concatenation catrelu dstack columnstack "
            "blockdiag rowstack concat append"
        ),
        "stack": "pack complex cartesianprod combinations",
        "split": (
            "splitv chunk splitwithsizes unbind unpack tensorsplit unstack splittosequence splitwithsizescopy "
            "variadicsplit unsafechunk unsafesplit hsplit vsplit dsplit arraysplit splitcopy unbindcopy "
            "unsafesplitwithsizes"
        ),
        "slice": (
            "stridedslice narrow selectint cropping centercrop getitem index slicetensor select0 selectcopy "
            "narrowcopy real imag cropimages extractsequences randomcrop slicecopy"
        ),
        "gather": (
            "indexselect take takealongdim gatherv gathernd gatherelements indextensor maskedselect getitemtensor "
            "compress arrayfeatureextractor resourcegather takealongaxis unsafeindex packpaddedsequence "
            "padpackedsequence"
        ),
        "scatter": (
            "scatternd scatterelements scatteradd indexput indexputimpl unsafeindexput sliceupdate tensorscatternd "
            "dynamicupdateslice tensorscatternadd tensorscatterupdate scattervalue slicescatter selectscatter "
            "indexadd scatterreduce tensorscatter scatterndupdate indexcopy indexfill maskedscatter copy "
            "scatterupdate scatterelementsupdate diagonalscatter asstridedscatter segmentsum segmentmax "
            "segmentmin segmentprod "
            "unsortedsegmentsum unsortedsegmentmax unsortedsegmentmin unsortedsegmentprod sparsetodense "
            "raggedtensortotensor segmentmean histogramfixedwidth indexreduce"
        ),
        "pad": (
            "padv mirrorpad zeropadding constantpadnd reflectionpad replicationpad zeropad constantpad "
            "circularpad padimages sparsefillemptyrows padsequence padcircular padenum"
        ),
        "expand": "broadcast broadcastto expandas broadcasttensors broadcastargs meshgrid expandcopy",
        "tile": "repeat repeatvector repeatinterleave",
        "resize": (
            "upsample upsampling upsamplenearest upsamplenearestexact upsamplebilinear upsamplebicubic "
            "upsampletrilinear interpolate resizebilinear resizenearestneighbor resizenearest resizebicubic "
            "upsamplingnearest upsamplingbilinear resizing upsamplelinear upsamplebilinearaa upsamplebicubicaa "
            "affinetransform elastictransform perspectivetransform scaleandtranslate "
            "cropandresize resizearea"
        ),
        "depth_to_space": "depthtospace pixelshuffle batchtospacend batchtospace",
        "space_to_depth": (
            "spacetodepth pixelunshuffle spacetobatchnd spacetobatch channelshuffle shufflechannels "
            "nativechannelshuffle"
        ),
        "grid_sample": "gridsample gridsampler affinegrid affinegridgenerator",
        "reverse": "flip reversev reversesequence roll rot90 fliplr flipud fftfftshift fftifftshift",
        "shape": "size shapeof symsize shapen numel sizeint rank symstride stride dim symnumel ndim",
        "contiguous": (
            "clone identity noop detach liftfreshcopy liftfresh identityn stopgradient readvariableop preventgradient "
            "assigntoutput snapshot positive resolveconj resolveneg detachcopy lazyclone"
        ),
        "top_k": (
            "topk topkv sort argsort unique uniquev nonmaxsuppression nonmaxsuppressionv nms nonzero sorttensor "
            "combinednonmaxsuppression matrixnms multiclassnms argwhere unique2 uniqueconsecutive uniquedim msort "
            "searchsorted bucketize argpartition "
            "lowerbound upperbound nonzerostatic"
        ),
        "trilu": (
            "tril triu matrixbandpart diag diagonal diagembed setdiag matrixdiag matrixsetdiag diagflat linalgdiagonal "
            "matrixdiagpart diagonalcopy"
        ),
        "eye_like": "eyelike eye",
        "permute_layer": "",
    },
    "constant": {
        "constant": (
            "const constantofshape fill full fulllike zeros oneslike ones zeroslike zeroslikedefault newzeros newones "
            "newfull tensorconstant scalartensor emptylike empty newempty emptymemoryformat liftfreshcopyconstant "
            "getattr listconstruct tupleconstruct dictconstruct newemptystrided zero"
        ),
        "range": "arange linspace arangestart logspace geomspace",
        "random": (
            "randn rand randint randnlike randlike randomnormal randomuniform randomnormallike randomuniformlike "
            "bernoulli multinomial normal randomstandardnormal randperm uniform exponential poisson randintlike "
            "geometric cauchy lognormal binomial"
        ),
        "variable": (
            "varhandleop varisinitializedop placeholder placeholderwithdefault inputlayer input arg variablev "
            "parameter readvalue"
        ),
    },
    "control": {
        "if": "cond statelessif torchcond switch merge case statelesscase switchn",
        "loop": (
            "while statelesswhile whileloop scan map mapimpl vmap forloop enter exit nextiteration loopcond "
            "tensoriterator"
        ),
        "call": (
            "partitionedcall statefulpartitionedcall callonce wrapwithsetgradenabled wrapwithautocast "
            "callfunction callmethod functional sequential model lambda xlacallmodule custom "
            "remotecall flexfunction"
        ),
        "time_distributed": "timedistributed",
        "wrapped": "spectralnormalization",
        "assert": (
            "assertscalar print checknumerics assertasync asserttensormetadata raiseexception "
            "assignvariable assignvariableop"
        ),
        "optional": (
            "optionalhaselement optionalgetelement sequenceat sequenceconstruct sequenceempty sequenceinsert "
            "sequenceerase sequencelength sequencemap tensorlistreserve tensorlistgetitem tensorlistsetitem "
            "tensorliststack tensorlistfromtensor listunpack tupleunpack tupleindex"
        ),
    },
    "embedding": {
        "embedding": (
            "embeddinglookup embeddingbag embeddinglookupsparse sparsesegmentsum sparsesegmentmean "
            "sparsesegmentsqrtn embedlayernormalization embeddingbagforwardonly "
            "resourcegathernd embeddingbagoffsets embeddingbagoffsetssum embeddingbagpacked "
            "embeddingbagpackedsum embeddingsegmentssum embeddingbyte embedding4bit embedding2bit embeddingbagbyte "
            "embeddingbag4bit embeddingbag2bit gatherblockquantized"
        ),
        "reversible_embedding": "",
        "one_hot": "onehot categoryencoding multihot",
        "hash_table": (
            "lookuptablefind lookuptablefindv hashtablelookup hashtablefind hashtable stringlookup integerlookup "
            "textvectorization labelencoder hashtablev"
        ),
    },
}
