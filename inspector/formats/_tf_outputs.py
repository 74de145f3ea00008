"""Names of the outputs of TensorFlow's operators that have several, as its registry of operators says.

Functions refer to an output by its name and its place under that name (`svd:u:0`); graphs number all outputs.
"""

from __future__ import annotations

OUTPUTS = {
    name: tuple(words.split())
    for names, words in (
        ("TopKV2 TopK ApproxTopK", "values indices"),
        ("FusedBatchNorm FusedBatchNormV2", "y batch_mean batch_variance reserve_space_1 reserve_space_2"),
        ("FusedBatchNormV3", "y batch_mean batch_variance reserve_space_1 reserve_space_2 reserve_space_3"),
        ("Unique UniqueV2", "y idx"),
        ("UniqueWithCounts UniqueWithCountsV2", "y idx count"),
        ("ListDiff", "out idx"),
        ("MaxPoolWithArgmax", "output argmax"),
        ("FractionalAvgPool FractionalMaxPool", "output row_pooling_sequence col_pooling_sequence"),
        ("SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits", "loss backprop"),
        ("CTCLoss CTCLossV2", "loss gradient"),
        ("CTCGreedyDecoder CTCBeamSearchDecoder", "decoded_indices decoded_values decoded_shape log_probability"),
        ("TensorListPopBack", "output_handle tensor"),
        ("TensorListConcat TensorListConcatV2", "tensor lengths"),
        ("TensorArrayV3", "handle flow"),
        ("TensorArrayConcat TensorArrayConcatV2 TensorArrayConcatV3", "value lengths"),
        ("Switch RefSwitch", "output_false output_true"),
        ("Merge RefMerge", "output value_index"),
        ("Svd BatchSvd", "s u v"),
        ("Qr", "q r"),
        ("Lu", "lu p"),
        ("Eig SelfAdjointEigV2 BatchSelfAdjointEigV2", "e v"),
        ("LogMatrixDeterminant", "sign log_abs_determinant"),
        ("NonMaxSuppressionV4", "selected_indices valid_outputs"),
        ("NonMaxSuppressionV5", "selected_indices selected_scores valid_outputs"),
        ("CombinedNonMaxSuppression", "nmsed_boxes nmsed_scores nmsed_classes valid_detections"),
        ("GenerateBoundingBoxProposals", "rois roi_probabilities"),
        ("SampleDistortedBoundingBox SampleDistortedBoundingBoxV2 StatelessSampleDistortedBoundingBox",
         "begin size bboxes"),
        ("BlockLSTM BlockLSTMV2 LSTMBlockCell", "i cs f o ci co h"),
        ("GRUBlockCell", "r u c h"),
        ("CudnnRNN CudnnRNNV2", "output output_h output_c reserve_space host_reserved"),
        ("CudnnRNNV3", "output output_h output_c reserve_space host_reserved"),
        ("StringSplit StringSplitV2", "indices values shape"),
        ("StringNGrams", "ngrams ngrams_splits"),
        ("UnicodeDecode", "row_splits char_values"),
        ("UnicodeDecodeWithOffsets", "row_splits char_values char_to_byte_starts"),
        ("SparseReshape", "output_indices output_shape"),
        ("SparseReorder", "output_indices output_values"),
        ("SparseSlice SparseConcat SparseSplit SparseCross SparseCrossV2 SparseCrossHashed",
         "output_indices output_values output_shape"),
        ("SparseAdd", "sum_indices sum_values sum_shape"),
        ("SparseFillEmptyRows", "output_indices output_values empty_row_indicator reverse_index_map"),
        ("RaggedFillEmptyRows", "output_value_rowids output_values empty_row_indicator reverse_index_map"),
        ("SparseSparseMaximum SparseSparseMinimum", "output_indices output_values"),
        ("SparseCountSparseOutput RaggedCountSparseOutput DenseCountSparseOutput",
         "output_indices output_values output_dense_shape"),
        ("DeserializeSparse", "sparse_indices sparse_values sparse_shape"),
        ("RaggedTensorToSparse", "sparse_indices sparse_values sparse_dense_shape"),
        ("RaggedRange", "rt_nested_splits rt_dense_values"),
        ("RaggedGather RaggedTensorFromVariant", "output_nested_splits output_dense_values"),
        ("RaggedCross", "output_values output_row_splits"),
        ("DenseToSparseSetOperation DenseToDenseSetOperation SparseToSparseSetOperation",
         "result_indices result_values result_shape"),
        ("ParseExample ParseSingleExample", "sparse_indices sparse_values sparse_shapes dense_values"),
        ("ParseExampleV2", "sparse_indices sparse_values sparse_shapes dense_values ragged_values ragged_row_splits"),
        ("LookupTableExport LookupTableExportV2", "keys values"),
        ("DecodeWav", "audio sample_rate"),
        ("QuantizeV2 Requantize RequantizePerChannel", "output output_min output_max"),
        ("AnonymousSeedGenerator AnonymousRandomSeedGenerator", "handle deleter"),
        ("StatelessRandomGetKeyCounter", "key counter"),
        ("StatelessRandomGetKeyCounterAlg", "key counter alg"),
        ("UniformCandidateSampler LogUniformCandidateSampler LearnedUnigramCandidateSampler "
         "FixedUnigramCandidateSampler AllCandidateSampler",
         "sampled_candidates true_expected_count sampled_expected_count"),
        ("IsotonicRegression", "output segments"),
        ("NearestNeighbors", "nearest_center_indices nearest_center_distances"),
        ("Batch", "batched_tensors batch_index id"),
    )
    for name in names.split()
}  # fmt: skip


LISTS = ("Parse", "Ragged", "CTCBeam", "SparseSplit", "Batch")
"""How operators begin whose outputs are lists: which one comes after them depends on how long they are."""
FAR = 1000


def place(op: str, output: str, number: int) -> int:
    """Which output of an operator this one is, where its name tells."""
    known = OUTPUTS.get(op, ())
    if output not in known:
        return number
    return known.index(output) * (FAR if op.startswith(LISTS) else 1) + number
