"""Names of PyTorch 2.13 that nbtorch lacks, or keeps in another place: facts, read off the two libraries.

``tests/test_surface.py`` compares them with both.
"""

from __future__ import annotations

__all__ = ["NAMES", "SHELVES", "SOURCES"]


def _under(package: str, names: str) -> tuple[str, ...]:
    return tuple(f"{package}.{name}".removeprefix(".") for name in names.split())


# Files of PyTorch that are no file here; their names stand in the package above, or where SOURCES says.
SHELVES = frozenset(
    (
        *_under(
            "",
            "functional quasirandom return_types storage torch_version __future__ _appdirs _classes _compile "
            "_environment _linalg_utils _lobpcg _lowrank _opaque_base _size_docs _sources _storage_docs _streambase "
            "_tensor _tensor_docs _tensor_iterator _tensor_str _thread_safe_fork _torch_docs _utils_internal "
            "_vmap_internals _weights_only_unpickler",
        ),
        *_under("accelerator", "memory _utils"),
        *_under(
            "autograd", "anomaly_mode grad_mode profiler profiler_util _functions _functions.tensor _functions.utils"
        ),
        *_under("backends", "cudnn.rnn xeon.run_cpu _coreml _coreml.preprocess _nnapi _nnapi.prepare"),
        *_under("compiler", "config _cache"),
        *_under("cpu", "amp.autocast_mode amp.grad_scaler"),
        *_under(
            "cuda",
            "amp.autocast_mode amp.common amp.grad_scaler _device_limits _gpu_trace _memory_viz "
            "_pin_memory_utils _sanitizer _utils",
        ),
        *_under("func", "_random"),
        *_under("masked", "_docs _ops"),
        *_under("multiprocessing", "_atfork pool queue reductions"),
        *_under(
            "nn",
            "_reduction backends backends.thnn cpp modules._functions "
            "modules.linear_cross_entropy "
            "modules.linear_cross_entropy_options parallel._functions parallel.parallel_apply parallel.replicate "
            "parallel.scatter_gather utils._deprecation_utils utils._expanded_weights utils._named_member_accessor "
            "utils._per_sample_grad",
        ),
        *_under(
            "optim",
            "_functional _multi_tensor",
        ),
        *_under("signal", "windows.windows"),
        *_under("testing", "_comparison _creation _utils"),
        *_under(
            "utils",
            "_config_module _content_store _contextlib _cxx_pytree _debug_mode _device _dtype_abbrs _exposed_in "
            "_filelock _foreach_utils _functools _import_utils _inspect _mode_utils _ordered_set "
            "_runtime_estimation _stats _sympy _thunk _traceback _triton _typing_utils _zip backcompat "
            "data._utils.signal_handling "
            "data.backward_compatibility data.graph data.graph_settings debug_log "
            "file_baton mkldnn model_dump model_zoo module_tracker serialization serialization.config show_pickle "
            "tensorboard.summary tensorboard.writer weak",
        ),
    )
)
# Where else than in the packages above them the names of a shelf stand, in the order of looking.
SOURCES: dict[str, tuple[str, ...]] = {
    "autograd.profiler": ("profiler.classic",),
    "autograd.profiler_util": ("profiler.events",),
    "cpu.amp.autocast_mode": ("amp",),
    "cpu.amp.grad_scaler": ("amp",),
    "cuda.amp.common": ("cuda.amp",),
    "torch_version": ("version",),
    "utils.model_zoo": ("hub",),
    "_vmap_internals": ("func",),
    "_weights_only_unpickler": ("serialization",),
}

_COMPLEX = "there are no complex numbers: keep real and imaginary parts in two tensors, or use NumPy on t.numpy()"
_SPARSE = "tensors are dense"
_QUANTISED = "there are no quantised tensors: keep float32"
_SYMBOLIC = "sizes are Python ints"
_INNER = "it is the inside of PyTorch: use the layer or function of torch.nn"
_ELSE = "PyTorch has it, nbtorch has not: see docs/differences.md"

# By package: what to do instead, and the names.
NAMES: dict[str, dict[str, str]] = {
    "": {
        _COMPLEX: "complex polar view_as_complex view_as_complex_copy view_as_real view_as_real_copy stft istft",
        _SPARSE: "sparse_bsc_tensor sparse_bsr_tensor sparse_compressed_tensor sparse_coo_tensor sparse_csc_tensor "
        "sparse_csr_tensor spmm dsmm hsmm hspmm smm saddmm sspaddmm resize_as_sparse_ ccol_indices_copy "
        "col_indices_copy crow_indices_copy indices_copy row_indices_copy values_copy",
        _QUANTISED: "choose_qparams_optimized dequantize empty_quantized fake_quantize_per_channel_affine "
        "fake_quantize_per_tensor_affine fbgemm_linear_fp16_weight fbgemm_linear_int8_weight "
        "fbgemm_linear_quantize_weight fbgemm_pack_gemm_matrix_fp16 fbgemm_pack_quantized_matrix "
        "fused_moving_avg_obs_fake_quant int_repr q_per_channel_axis q_per_channel_scales "
        "q_per_channel_zero_points q_scale q_zero_point qscheme quantize_per_channel quantize_per_tensor "
        "quantize_per_tensor_dynamic quantized_batch_norm quantized_gru_cell quantized_lstm_cell "
        "quantized_max_pool1d quantized_max_pool2d quantized_max_pool3d quantized_rnn_relu_cell "
        "quantized_rnn_tanh_cell per_channel_affine per_channel_affine_float_qparams per_channel_symmetric "
        "per_tensor_affine per_tensor_symmetric",
        "nothing is compiled: call the function itself": "import_ir_module import_ir_module_from_buffer "
        "parse_ir parse_schema merge_type_from_type_comment parse_type_comment unify_type_list cpp",
        "autocast leaves numbers in their precision": "autocast_decrement_nesting autocast_increment_nesting "
        "get_autocast_ipu_dtype get_autocast_xla_dtype is_autocast_ipu_enabled is_autocast_xla_enabled "
        "set_autocast_ipu_dtype set_autocast_ipu_enabled "
        "set_autocast_xla_dtype set_autocast_xla_enabled",
        _SYMBOLIC: "SymBool SymFloat SymInt sym_constrain_range sym_constrain_range_for_size sym_float sym_fresh_size "
        "sym_int sym_ite sym_max sym_min sym_not sym_sqrt sym_sum",
        "call the function itself: nothing is compiled or captured": "cond while_loop",
        "use concurrent.futures": "Future fork wait",
        _INNER: "batch_norm_backward_elemt batch_norm_backward_reduce batch_norm_elemt batch_norm_gather_stats "
        "batch_norm_gather_stats_with_counts batch_norm_stats batch_norm_update_stats convolution "
        "cudnn_affine_grid_generator cudnn_batch_norm cudnn_convolution cudnn_convolution_transpose "
        "cudnn_grid_sampler miopen_batch_norm miopen_convolution miopen_rnn "
        "mkldnn_adaptive_avg_pool2d mkldnn_convolution mkldnn_max_pool2d mkldnn_max_pool3d mkldnn_rnn_layer "
        "native_norm "
        "init_num_threads bit is_anomaly_check_nan_enabled "
        "set_anomaly_enabled",
        _ELSE: "lobpcg from_file hash_tensor slice_inverse thread_safe_generator ScriptModule ScriptFunction",
    },
    "nn.functional": {_ELSE: "grouped_mm scaled_grouped_mm scaled_mm"},
    "nn.parallel": {
        "there is one process; run the model without distribution, on one device": "DistributedDataParallel replicate "
        "scatter parallel_apply gather "
    },
    "utils.data": {
        "use Dataset, IterableDataset and DataLoader": "DFIterDataPipe DataChunk IterDataPipe MapDataPipe "
        "argument_validation functional_datapipe guaranteed_datapipes_determinism non_deterministic "
        "runtime_validation runtime_validation_disabled"
    },
    "utils": {
        _ELSE: "ThroughputBenchmark generate_methods_for_privateuse1_backend rename_privateuse1_backend "
        "get_cpp_backtrace set_module"
    },
    "utils.checkpoint": {
        _ELSE: "CheckpointPolicy SelectiveCheckpointContext create_selective_checkpoint_contexts GraphExecGroup"
    },
    "cuda": {
        "call the function itself: nothing is captured": "CUDAGraph graph graph_pool_handle make_graphed_callables "
        "is_current_stream_capturing GreenContext",
        "memory is CuPy's: use its memory pools": "CUDAPluggableAllocator MemPool change_current_allocator "
        "use_mem_pool caching_allocator_alloc caching_allocator_delete",
        "see what nvidia-smi says": "utilization temperature power_draw clock_rate memory_usage device_memory_used",
        _INNER: "cudart current_blas_handle current_solver_handle cudaStatus check_error",
        "make a tensor, on device cuda": "BFloat16Storage BoolStorage ByteStorage CharStorage ComplexDoubleStorage "
        "ComplexFloatStorage DoubleStorage FloatStorage HalfStorage IntStorage LongStorage ShortStorage",
        _ELSE: "host_memory_stats_as_nested_dict jiterator get_stream_from_external "
        "caching_allocator_disabled caching_allocator_enable reset_accumulated_host_memory_stats "
        "reset_peak_host_memory_stats",
    },
    "autograd": {_ELSE: "NestedIOFunction"},
    "profiler": {"use torch.profiler.profile": "ExecutionTraceObserver KinetoStepTracker"},
    "func": {_ELSE: "functionalize rearrange debug_unwrap replace_all_batch_norm_modules_"},
    "special": {
        "SciPy's scipy.special has it, on t.numpy()": "airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 "
        "chebyshev_polynomial_t chebyshev_polynomial_u chebyshev_polynomial_v chebyshev_polynomial_w "
        "hermite_polynomial_h hermite_polynomial_he laguerre_polynomial_l legendre_polynomial_p modified_bessel_i0 "
        "modified_bessel_i1 modified_bessel_k0 modified_bessel_k1 shifted_chebyshev_polynomial_t "
        "shifted_chebyshev_polynomial_u shifted_chebyshev_polynomial_v shifted_chebyshev_polynomial_w "
        "scaled_modified_bessel_k0 scaled_modified_bessel_k1 spherical_bessel_j0"
    },
    "testing": {_ELSE: "FileCheck make_tensor"},
    "hub": {"nothing is downloaded: load a checkpoint with torch.load(path)": "download_url_to_file help list load"},
    "overrides": {
        _ELSE: "get_ignored_functions get_overridable_functions get_testing_overrides enable_reentrant_dispatch"
    },
    "optim": {_ELSE: "swap_in_optimizer_params_and_state"},
}
