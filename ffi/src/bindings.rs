// Generated from TVM 0.19's tvm/runtime/c_runtime_api.h and dlpack/dlpack.h; do not edit.
// `BLESS=1 cargo test -p tvm-rt --test bindings` writes it anew.

pub const TVM_VERSION: &[u8; 7] = b"0.19.0\0";
pub const kDLCPU: DLDeviceType = 1;
pub const kDLCUDA: DLDeviceType = 2;
pub const kDLCUDAHost: DLDeviceType = 3;
pub const kDLOpenCL: DLDeviceType = 4;
pub const kDLVulkan: DLDeviceType = 7;
pub const kDLMetal: DLDeviceType = 8;
pub const kDLVPI: DLDeviceType = 9;
pub const kDLROCM: DLDeviceType = 10;
pub const kDLROCMHost: DLDeviceType = 11;
pub const kDLExtDev: DLDeviceType = 12;
pub const kDLCUDAManaged: DLDeviceType = 13;
pub const kDLOneAPI: DLDeviceType = 14;
pub const kDLWebGPU: DLDeviceType = 15;
pub const kDLHexagon: DLDeviceType = 16;
pub type DLDeviceType = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct DLDevice {
    pub device_type: DLDeviceType,
    pub device_id: i32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of DLDevice"][::std::mem::size_of::<DLDevice>() - 8usize];
    ["Alignment of DLDevice"][::std::mem::align_of::<DLDevice>() - 4usize];
    [
        "Offset of field: DLDevice::device_type",
    ][::std::mem::offset_of!(DLDevice, device_type) - 0usize];
    [
        "Offset of field: DLDevice::device_id",
    ][::std::mem::offset_of!(DLDevice, device_id) - 4usize];
};
pub const kDLInt: DLDataTypeCode = 0;
pub const kDLUInt: DLDataTypeCode = 1;
pub const kDLFloat: DLDataTypeCode = 2;
pub const kDLOpaqueHandle: DLDataTypeCode = 3;
pub const kDLBfloat: DLDataTypeCode = 4;
pub const kDLComplex: DLDataTypeCode = 5;
pub type DLDataTypeCode = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct DLDataType {
    pub code: u8,
    pub bits: u8,
    pub lanes: u16,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of DLDataType"][::std::mem::size_of::<DLDataType>() - 4usize];
    ["Alignment of DLDataType"][::std::mem::align_of::<DLDataType>() - 2usize];
    [
        "Offset of field: DLDataType::code",
    ][::std::mem::offset_of!(DLDataType, code) - 0usize];
    [
        "Offset of field: DLDataType::bits",
    ][::std::mem::offset_of!(DLDataType, bits) - 1usize];
    [
        "Offset of field: DLDataType::lanes",
    ][::std::mem::offset_of!(DLDataType, lanes) - 2usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct DLTensor {
    pub data: *mut ::std::os::raw::c_void,
    pub device: DLDevice,
    pub ndim: i32,
    pub dtype: DLDataType,
    pub shape: *mut i64,
    pub strides: *mut i64,
    pub byte_offset: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of DLTensor"][::std::mem::size_of::<DLTensor>() - 48usize];
    ["Alignment of DLTensor"][::std::mem::align_of::<DLTensor>() - 8usize];
    ["Offset of field: DLTensor::data"][::std::mem::offset_of!(DLTensor, data) - 0usize];
    [
        "Offset of field: DLTensor::device",
    ][::std::mem::offset_of!(DLTensor, device) - 8usize];
    [
        "Offset of field: DLTensor::ndim",
    ][::std::mem::offset_of!(DLTensor, ndim) - 16usize];
    [
        "Offset of field: DLTensor::dtype",
    ][::std::mem::offset_of!(DLTensor, dtype) - 20usize];
    [
        "Offset of field: DLTensor::shape",
    ][::std::mem::offset_of!(DLTensor, shape) - 24usize];
    [
        "Offset of field: DLTensor::strides",
    ][::std::mem::offset_of!(DLTensor, strides) - 32usize];
    [
        "Offset of field: DLTensor::byte_offset",
    ][::std::mem::offset_of!(DLTensor, byte_offset) - 40usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct DLManagedTensor {
    pub dl_tensor: DLTensor,
    pub manager_ctx: *mut ::std::os::raw::c_void,
    pub deleter: ::std::option::Option<
        unsafe extern "C" fn(self_: *mut DLManagedTensor),
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of DLManagedTensor"][::std::mem::size_of::<DLManagedTensor>() - 64usize];
    ["Alignment of DLManagedTensor"][::std::mem::align_of::<DLManagedTensor>() - 8usize];
    [
        "Offset of field: DLManagedTensor::dl_tensor",
    ][::std::mem::offset_of!(DLManagedTensor, dl_tensor) - 0usize];
    [
        "Offset of field: DLManagedTensor::manager_ctx",
    ][::std::mem::offset_of!(DLManagedTensor, manager_ctx) - 48usize];
    [
        "Offset of field: DLManagedTensor::deleter",
    ][::std::mem::offset_of!(DLManagedTensor, deleter) - 56usize];
};
pub type tvm_index_t = i64;
pub const kDLAOCL: TVMDeviceExtType = 32;
pub const kDLSDAccel: TVMDeviceExtType = 33;
pub const kOpenGL: TVMDeviceExtType = 34;
pub const kDLMicroDev: TVMDeviceExtType = 35;
pub const TVMDeviceExtType_End: TVMDeviceExtType = 36;
pub type TVMDeviceExtType = ::std::os::raw::c_uint;
pub const kTVMArgInt: TVMArgTypeCode = 0;
pub const kTVMArgFloat: TVMArgTypeCode = 2;
pub const kTVMOpaqueHandle: TVMArgTypeCode = 3;
pub const kTVMNullptr: TVMArgTypeCode = 4;
pub const kTVMDataType: TVMArgTypeCode = 5;
pub const kDLDevice: TVMArgTypeCode = 6;
pub const kTVMDLTensorHandle: TVMArgTypeCode = 7;
pub const kTVMObjectHandle: TVMArgTypeCode = 8;
pub const kTVMModuleHandle: TVMArgTypeCode = 9;
pub const kTVMPackedFuncHandle: TVMArgTypeCode = 10;
pub const kTVMStr: TVMArgTypeCode = 11;
pub const kTVMBytes: TVMArgTypeCode = 12;
pub const kTVMNDArrayHandle: TVMArgTypeCode = 13;
pub const kTVMObjectRValueRefArg: TVMArgTypeCode = 14;
pub const kTVMArgBool: TVMArgTypeCode = 15;
pub const kTVMExtBegin: TVMArgTypeCode = 16;
pub const kTVMNNVMFirst: TVMArgTypeCode = 16;
pub const kTVMNNVMLast: TVMArgTypeCode = 20;
pub const kTVMExtReserveEnd: TVMArgTypeCode = 64;
pub const kTVMExtEnd: TVMArgTypeCode = 128;
pub type TVMArgTypeCode = ::std::os::raw::c_uint;
pub type TVMArrayHandle = *mut DLTensor;
#[repr(C)]
#[derive(Copy, Clone)]
pub union TVMValue {
    pub v_int64: i64,
    pub v_float64: f64,
    pub v_handle: *mut ::std::os::raw::c_void,
    pub v_str: *const ::std::os::raw::c_char,
    pub v_type: DLDataType,
    pub v_device: DLDevice,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of TVMValue"][::std::mem::size_of::<TVMValue>() - 8usize];
    ["Alignment of TVMValue"][::std::mem::align_of::<TVMValue>() - 8usize];
    [
        "Offset of field: TVMValue::v_int64",
    ][::std::mem::offset_of!(TVMValue, v_int64) - 0usize];
    [
        "Offset of field: TVMValue::v_float64",
    ][::std::mem::offset_of!(TVMValue, v_float64) - 0usize];
    [
        "Offset of field: TVMValue::v_handle",
    ][::std::mem::offset_of!(TVMValue, v_handle) - 0usize];
    [
        "Offset of field: TVMValue::v_str",
    ][::std::mem::offset_of!(TVMValue, v_str) - 0usize];
    [
        "Offset of field: TVMValue::v_type",
    ][::std::mem::offset_of!(TVMValue, v_type) - 0usize];
    [
        "Offset of field: TVMValue::v_device",
    ][::std::mem::offset_of!(TVMValue, v_device) - 0usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct TVMByteArray {
    pub data: *const ::std::os::raw::c_char,
    pub size: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of TVMByteArray"][::std::mem::size_of::<TVMByteArray>() - 16usize];
    ["Alignment of TVMByteArray"][::std::mem::align_of::<TVMByteArray>() - 8usize];
    [
        "Offset of field: TVMByteArray::data",
    ][::std::mem::offset_of!(TVMByteArray, data) - 0usize];
    [
        "Offset of field: TVMByteArray::size",
    ][::std::mem::offset_of!(TVMByteArray, size) - 8usize];
};
pub type TVMModuleHandle = *mut ::std::os::raw::c_void;
pub type TVMFunctionHandle = *mut ::std::os::raw::c_void;
pub type TVMRetValueHandle = *mut ::std::os::raw::c_void;
pub type TVMStreamHandle = *mut ::std::os::raw::c_void;
pub type TVMObjectHandle = *mut ::std::os::raw::c_void;
pub type TVMPackedCFunc = ::std::option::Option<
    unsafe extern "C" fn(
        args: *mut TVMValue,
        type_codes: *mut ::std::os::raw::c_int,
        num_args: ::std::os::raw::c_int,
        ret: TVMRetValueHandle,
        resource_handle: *mut ::std::os::raw::c_void,
    ) -> ::std::os::raw::c_int,
>;
pub type TVMPackedCFuncFinalizer = ::std::option::Option<
    unsafe extern "C" fn(resource_handle: *mut ::std::os::raw::c_void),
>;
pub type TVMExtensionFuncDeclarer = ::std::option::Option<
    unsafe extern "C" fn(
        register_func_handle: TVMFunctionHandle,
    ) -> ::std::os::raw::c_int,
>;
pub struct TvmApi {
    __library: ::libloading::Library,
    pub TVMAPISetLastError: unsafe extern "C" fn(msg: *const ::std::os::raw::c_char),
    pub TVMAPISetLastPythonError: unsafe extern "C" fn(
        py_object: *mut ::std::os::raw::c_void,
    ),
    pub TVMGetLastPythonError: unsafe extern "C" fn() -> *mut ::std::os::raw::c_void,
    pub TVMGetLastError: unsafe extern "C" fn() -> *const ::std::os::raw::c_char,
    pub TVMGetLastBacktrace: unsafe extern "C" fn() -> *const ::std::os::raw::c_char,
    pub TVMDropLastPythonError: unsafe extern "C" fn(),
    pub TVMModLoadFromFile: unsafe extern "C" fn(
        file_name: *const ::std::os::raw::c_char,
        format: *const ::std::os::raw::c_char,
        out: *mut TVMModuleHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMModImport: unsafe extern "C" fn(
        mod_: TVMModuleHandle,
        dep: TVMModuleHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMModGetFunction: unsafe extern "C" fn(
        mod_: TVMModuleHandle,
        func_name: *const ::std::os::raw::c_char,
        query_imports: ::std::os::raw::c_int,
        out: *mut TVMFunctionHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMModFree: unsafe extern "C" fn(mod_: TVMModuleHandle) -> ::std::os::raw::c_int,
    pub TVMFuncFree: unsafe extern "C" fn(
        func: TVMFunctionHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMFuncCall: unsafe extern "C" fn(
        func: TVMFunctionHandle,
        arg_values: *mut TVMValue,
        type_codes: *mut ::std::os::raw::c_int,
        num_args: ::std::os::raw::c_int,
        ret_val: *mut TVMValue,
        ret_type_code: *mut ::std::os::raw::c_int,
    ) -> ::std::os::raw::c_int,
    pub TVMCFuncSetReturn: unsafe extern "C" fn(
        ret: TVMRetValueHandle,
        value: *mut TVMValue,
        type_code: *mut ::std::os::raw::c_int,
        num_ret: ::std::os::raw::c_int,
    ) -> ::std::os::raw::c_int,
    pub TVMCbArgToReturn: unsafe extern "C" fn(
        value: *mut TVMValue,
        code: *mut ::std::os::raw::c_int,
    ) -> ::std::os::raw::c_int,
    pub TVMFuncCreateFromCFunc: unsafe extern "C" fn(
        func: TVMPackedCFunc,
        resource_handle: *mut ::std::os::raw::c_void,
        fin: TVMPackedCFuncFinalizer,
        out: *mut TVMFunctionHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMFuncRegisterGlobal: unsafe extern "C" fn(
        name: *const ::std::os::raw::c_char,
        f: TVMFunctionHandle,
        override_: ::std::os::raw::c_int,
    ) -> ::std::os::raw::c_int,
    pub TVMFuncGetGlobal: unsafe extern "C" fn(
        name: *const ::std::os::raw::c_char,
        out: *mut TVMFunctionHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMFuncListGlobalNames: unsafe extern "C" fn(
        out_size: *mut ::std::os::raw::c_int,
        out_array: *mut *mut *const ::std::os::raw::c_char,
    ) -> ::std::os::raw::c_int,
    pub TVMFuncRemoveGlobal: unsafe extern "C" fn(
        name: *const ::std::os::raw::c_char,
    ) -> ::std::os::raw::c_int,
    pub TVMArrayAlloc: unsafe extern "C" fn(
        shape: *const tvm_index_t,
        ndim: ::std::os::raw::c_int,
        dtype_code: ::std::os::raw::c_int,
        dtype_bits: ::std::os::raw::c_int,
        dtype_lanes: ::std::os::raw::c_int,
        device_type: ::std::os::raw::c_int,
        device_id: ::std::os::raw::c_int,
        out: *mut TVMArrayHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMArrayFree: unsafe extern "C" fn(
        handle: TVMArrayHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMArrayCopyFromBytes: unsafe extern "C" fn(
        handle: TVMArrayHandle,
        data: *mut ::std::os::raw::c_void,
        nbytes: usize,
    ) -> ::std::os::raw::c_int,
    pub TVMArrayCopyToBytes: unsafe extern "C" fn(
        handle: TVMArrayHandle,
        data: *mut ::std::os::raw::c_void,
        nbytes: usize,
    ) -> ::std::os::raw::c_int,
    pub TVMArrayCopyFromTo: unsafe extern "C" fn(
        from: TVMArrayHandle,
        to: TVMArrayHandle,
        stream: TVMStreamHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMArrayFromDLPack: unsafe extern "C" fn(
        from: *mut DLManagedTensor,
        out: *mut TVMArrayHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMArrayToDLPack: unsafe extern "C" fn(
        from: TVMArrayHandle,
        out: *mut *mut DLManagedTensor,
    ) -> ::std::os::raw::c_int,
    pub TVMDLManagedTensorCallDeleter: unsafe extern "C" fn(
        dltensor: *mut DLManagedTensor,
    ),
    pub TVMStreamCreate: unsafe extern "C" fn(
        device_type: ::std::os::raw::c_int,
        device_id: ::std::os::raw::c_int,
        out: *mut TVMStreamHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMStreamFree: unsafe extern "C" fn(
        device_type: ::std::os::raw::c_int,
        device_id: ::std::os::raw::c_int,
        stream: TVMStreamHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMSetStream: unsafe extern "C" fn(
        device_type: ::std::os::raw::c_int,
        device_id: ::std::os::raw::c_int,
        handle: TVMStreamHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMSynchronize: unsafe extern "C" fn(
        device_type: ::std::os::raw::c_int,
        device_id: ::std::os::raw::c_int,
        stream: TVMStreamHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMStreamStreamSynchronize: unsafe extern "C" fn(
        device_type: ::std::os::raw::c_int,
        device_id: ::std::os::raw::c_int,
        src: TVMStreamHandle,
        dst: TVMStreamHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMObjectGetTypeIndex: unsafe extern "C" fn(
        obj: TVMObjectHandle,
        out_tindex: *mut ::std::os::raw::c_uint,
    ) -> ::std::os::raw::c_int,
    pub TVMObjectTypeKey2Index: unsafe extern "C" fn(
        type_key: *const ::std::os::raw::c_char,
        out_tindex: *mut ::std::os::raw::c_uint,
    ) -> ::std::os::raw::c_int,
    pub TVMObjectTypeIndex2Key: unsafe extern "C" fn(
        tindex: ::std::os::raw::c_uint,
        out_type_key: *mut *mut ::std::os::raw::c_char,
    ) -> ::std::os::raw::c_int,
    pub TVMObjectRetain: unsafe extern "C" fn(
        obj: TVMObjectHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMObjectFree: unsafe extern "C" fn(
        obj: TVMObjectHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMByteArrayFree: unsafe extern "C" fn(
        arr: *mut TVMByteArray,
    ) -> ::std::os::raw::c_int,
    pub TVMDeviceAllocDataSpace: unsafe extern "C" fn(
        dev: DLDevice,
        nbytes: usize,
        alignment: usize,
        type_hint: DLDataType,
        out_data: *mut *mut ::std::os::raw::c_void,
    ) -> ::std::os::raw::c_int,
    pub TVMDeviceAllocDataSpaceWithScope: unsafe extern "C" fn(
        dev: DLDevice,
        ndim: ::std::os::raw::c_int,
        shape: *const i64,
        dtype: DLDataType,
        mem_scope: *const ::std::os::raw::c_char,
        out_data: *mut *mut ::std::os::raw::c_void,
    ) -> ::std::os::raw::c_int,
    pub TVMDeviceFreeDataSpace: unsafe extern "C" fn(
        dev: DLDevice,
        ptr: *mut ::std::os::raw::c_void,
    ) -> ::std::os::raw::c_int,
    pub TVMDeviceCopyDataFromTo: unsafe extern "C" fn(
        from: *mut DLTensor,
        to: *mut DLTensor,
        stream: TVMStreamHandle,
    ) -> ::std::os::raw::c_int,
    pub TVMObjectDerivedFrom: unsafe extern "C" fn(
        child_type_index: u32,
        parent_type_index: u32,
        is_derived: *mut ::std::os::raw::c_int,
    ) -> ::std::os::raw::c_int,
}
impl TvmApi {
    pub unsafe fn new<P>(path: P) -> Result<Self, ::libloading::Error>
    where
        P: AsRef<::std::ffi::OsStr>,
    {
        let path = path.as_ref();
        let library = unsafe { ::libloading::Library::new(path) }?;
        unsafe { Self::from_library(library) }
    }
    pub unsafe fn from_library<L>(library: L) -> Result<Self, ::libloading::Error>
    where
        L: Into<::libloading::Library>,
    {
        let __library = library.into();
        let TVMAPISetLastError = unsafe { __library.get(b"TVMAPISetLastError\0") }
            .map(|sym| *sym)?;
        let TVMAPISetLastPythonError = unsafe {
            __library.get(b"TVMAPISetLastPythonError\0")
        }
            .map(|sym| *sym)?;
        let TVMGetLastPythonError = unsafe { __library.get(b"TVMGetLastPythonError\0") }
            .map(|sym| *sym)?;
        let TVMGetLastError = unsafe { __library.get(b"TVMGetLastError\0") }
            .map(|sym| *sym)?;
        let TVMGetLastBacktrace = unsafe { __library.get(b"TVMGetLastBacktrace\0") }
            .map(|sym| *sym)?;
        let TVMDropLastPythonError = unsafe {
            __library.get(b"TVMDropLastPythonError\0")
        }
            .map(|sym| *sym)?;
        let TVMModLoadFromFile = unsafe { __library.get(b"TVMModLoadFromFile\0") }
            .map(|sym| *sym)?;
        let TVMModImport = unsafe { __library.get(b"TVMModImport\0") }.map(|sym| *sym)?;
        let TVMModGetFunction = unsafe { __library.get(b"TVMModGetFunction\0") }
            .map(|sym| *sym)?;
        let TVMModFree = unsafe { __library.get(b"TVMModFree\0") }.map(|sym| *sym)?;
        let TVMFuncFree = unsafe { __library.get(b"TVMFuncFree\0") }.map(|sym| *sym)?;
        let TVMFuncCall = unsafe { __library.get(b"TVMFuncCall\0") }.map(|sym| *sym)?;
        let TVMCFuncSetReturn = unsafe { __library.get(b"TVMCFuncSetReturn\0") }
            .map(|sym| *sym)?;
        let TVMCbArgToReturn = unsafe { __library.get(b"TVMCbArgToReturn\0") }
            .map(|sym| *sym)?;
        let TVMFuncCreateFromCFunc = unsafe {
            __library.get(b"TVMFuncCreateFromCFunc\0")
        }
            .map(|sym| *sym)?;
        let TVMFuncRegisterGlobal = unsafe { __library.get(b"TVMFuncRegisterGlobal\0") }
            .map(|sym| *sym)?;
        let TVMFuncGetGlobal = unsafe { __library.get(b"TVMFuncGetGlobal\0") }
            .map(|sym| *sym)?;
        let TVMFuncListGlobalNames = unsafe {
            __library.get(b"TVMFuncListGlobalNames\0")
        }
            .map(|sym| *sym)?;
        let TVMFuncRemoveGlobal = unsafe { __library.get(b"TVMFuncRemoveGlobal\0") }
            .map(|sym| *sym)?;
        let TVMArrayAlloc = unsafe { __library.get(b"TVMArrayAlloc\0") }
            .map(|sym| *sym)?;
        let TVMArrayFree = unsafe { __library.get(b"TVMArrayFree\0") }.map(|sym| *sym)?;
        let TVMArrayCopyFromBytes = unsafe { __library.get(b"TVMArrayCopyFromBytes\0") }
            .map(|sym| *sym)?;
        let TVMArrayCopyToBytes = unsafe { __library.get(b"TVMArrayCopyToBytes\0") }
            .map(|sym| *sym)?;
        let TVMArrayCopyFromTo = unsafe { __library.get(b"TVMArrayCopyFromTo\0") }
            .map(|sym| *sym)?;
        let TVMArrayFromDLPack = unsafe { __library.get(b"TVMArrayFromDLPack\0") }
            .map(|sym| *sym)?;
        let TVMArrayToDLPack = unsafe { __library.get(b"TVMArrayToDLPack\0") }
            .map(|sym| *sym)?;
        let TVMDLManagedTensorCallDeleter = unsafe {
            __library.get(b"TVMDLManagedTensorCallDeleter\0")
        }
            .map(|sym| *sym)?;
        let TVMStreamCreate = unsafe { __library.get(b"TVMStreamCreate\0") }
            .map(|sym| *sym)?;
        let TVMStreamFree = unsafe { __library.get(b"TVMStreamFree\0") }
            .map(|sym| *sym)?;
        let TVMSetStream = unsafe { __library.get(b"TVMSetStream\0") }.map(|sym| *sym)?;
        let TVMSynchronize = unsafe { __library.get(b"TVMSynchronize\0") }
            .map(|sym| *sym)?;
        let TVMStreamStreamSynchronize = unsafe {
            __library.get(b"TVMStreamStreamSynchronize\0")
        }
            .map(|sym| *sym)?;
        let TVMObjectGetTypeIndex = unsafe { __library.get(b"TVMObjectGetTypeIndex\0") }
            .map(|sym| *sym)?;
        let TVMObjectTypeKey2Index = unsafe {
            __library.get(b"TVMObjectTypeKey2Index\0")
        }
            .map(|sym| *sym)?;
        let TVMObjectTypeIndex2Key = unsafe {
            __library.get(b"TVMObjectTypeIndex2Key\0")
        }
            .map(|sym| *sym)?;
        let TVMObjectRetain = unsafe { __library.get(b"TVMObjectRetain\0") }
            .map(|sym| *sym)?;
        let TVMObjectFree = unsafe { __library.get(b"TVMObjectFree\0") }
            .map(|sym| *sym)?;
        let TVMByteArrayFree = unsafe { __library.get(b"TVMByteArrayFree\0") }
            .map(|sym| *sym)?;
        let TVMDeviceAllocDataSpace = unsafe {
            __library.get(b"TVMDeviceAllocDataSpace\0")
        }
            .map(|sym| *sym)?;
        let TVMDeviceAllocDataSpaceWithScope = unsafe {
            __library.get(b"TVMDeviceAllocDataSpaceWithScope\0")
        }
            .map(|sym| *sym)?;
        let TVMDeviceFreeDataSpace = unsafe {
            __library.get(b"TVMDeviceFreeDataSpace\0")
        }
            .map(|sym| *sym)?;
        let TVMDeviceCopyDataFromTo = unsafe {
            __library.get(b"TVMDeviceCopyDataFromTo\0")
        }
            .map(|sym| *sym)?;
        let TVMObjectDerivedFrom = unsafe { __library.get(b"TVMObjectDerivedFrom\0") }
            .map(|sym| *sym)?;
        Ok(TvmApi {
            __library,
            TVMAPISetLastError,
            TVMAPISetLastPythonError,
            TVMGetLastPythonError,
            TVMGetLastError,
            TVMGetLastBacktrace,
            TVMDropLastPythonError,
            TVMModLoadFromFile,
            TVMModImport,
            TVMModGetFunction,
            TVMModFree,
            TVMFuncFree,
            TVMFuncCall,
            TVMCFuncSetReturn,
            TVMCbArgToReturn,
            TVMFuncCreateFromCFunc,
            TVMFuncRegisterGlobal,
            TVMFuncGetGlobal,
            TVMFuncListGlobalNames,
            TVMFuncRemoveGlobal,
            TVMArrayAlloc,
            TVMArrayFree,
            TVMArrayCopyFromBytes,
            TVMArrayCopyToBytes,
            TVMArrayCopyFromTo,
            TVMArrayFromDLPack,
            TVMArrayToDLPack,
            TVMDLManagedTensorCallDeleter,
            TVMStreamCreate,
            TVMStreamFree,
            TVMSetStream,
            TVMSynchronize,
            TVMStreamStreamSynchronize,
            TVMObjectGetTypeIndex,
            TVMObjectTypeKey2Index,
            TVMObjectTypeIndex2Key,
            TVMObjectRetain,
            TVMObjectFree,
            TVMByteArrayFree,
            TVMDeviceAllocDataSpace,
            TVMDeviceAllocDataSpaceWithScope,
            TVMDeviceFreeDataSpace,
            TVMDeviceCopyDataFromTo,
            TVMObjectDerivedFrom,
        })
    }
    pub unsafe fn TVMAPISetLastError(&self, msg: *const ::std::os::raw::c_char) {
        unsafe { (self.TVMAPISetLastError)(msg) }
    }
    pub unsafe fn TVMAPISetLastPythonError(
        &self,
        py_object: *mut ::std::os::raw::c_void,
    ) {
        unsafe { (self.TVMAPISetLastPythonError)(py_object) }
    }
    pub unsafe fn TVMGetLastPythonError(&self) -> *mut ::std::os::raw::c_void {
        unsafe { (self.TVMGetLastPythonError)() }
    }
    pub unsafe fn TVMGetLastError(&self) -> *const ::std::os::raw::c_char {
        unsafe { (self.TVMGetLastError)() }
    }
    pub unsafe fn TVMGetLastBacktrace(&self) -> *const ::std::os::raw::c_char {
        unsafe { (self.TVMGetLastBacktrace)() }
    }
    pub unsafe fn TVMDropLastPythonError(&self) {
        unsafe { (self.TVMDropLastPythonError)() }
    }
    pub unsafe fn TVMModLoadFromFile(
        &self,
        file_name: *const ::std::os::raw::c_char,
        format: *const ::std::os::raw::c_char,
        out: *mut TVMModuleHandle,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMModLoadFromFile)(file_name, format, out) }
    }
    pub unsafe fn TVMModImport(
        &self,
        mod_: TVMModuleHandle,
        dep: TVMModuleHandle,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMModImport)(mod_, dep) }
    }
    pub unsafe fn TVMModGetFunction(
        &self,
        mod_: TVMModuleHandle,
        func_name: *const ::std::os::raw::c_char,
        query_imports: ::std::os::raw::c_int,
        out: *mut TVMFunctionHandle,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMModGetFunction)(mod_, func_name, query_imports, out) }
    }
    pub unsafe fn TVMModFree(&self, mod_: TVMModuleHandle) -> ::std::os::raw::c_int {
        unsafe { (self.TVMModFree)(mod_) }
    }
    pub unsafe fn TVMFuncFree(&self, func: TVMFunctionHandle) -> ::std::os::raw::c_int {
        unsafe { (self.TVMFuncFree)(func) }
    }
    pub unsafe fn TVMFuncCall(
        &self,
        func: TVMFunctionHandle,
        arg_values: *mut TVMValue,
        type_codes: *mut ::std::os::raw::c_int,
        num_args: ::std::os::raw::c_int,
        ret_val: *mut TVMValue,
        ret_type_code: *mut ::std::os::raw::c_int,
    ) -> ::std::os::raw::c_int {
        unsafe {
            (self
                .TVMFuncCall)(
                func,
                arg_values,
                type_codes,
                num_args,
                ret_val,
                ret_type_code,
            )
        }
    }
    pub unsafe fn TVMCFuncSetReturn(
        &self,
        ret: TVMRetValueHandle,
        value: *mut TVMValue,
        type_code: *mut ::std::os::raw::c_int,
        num_ret: ::std::os::raw::c_int,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMCFuncSetReturn)(ret, value, type_code, num_ret) }
    }
    pub unsafe fn TVMCbArgToReturn(
        &self,
        value: *mut TVMValue,
        code: *mut ::std::os::raw::c_int,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMCbArgToReturn)(value, code) }
    }
    pub unsafe fn TVMFuncCreateFromCFunc(
        &self,
        func: TVMPackedCFunc,
        resource_handle: *mut ::std::os::raw::c_void,
        fin: TVMPackedCFuncFinalizer,
        out: *mut TVMFunctionHandle,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMFuncCreateFromCFunc)(func, resource_handle, fin, out) }
    }
    pub unsafe fn TVMFuncRegisterGlobal(
        &self,
        name: *const ::std::os::raw::c_char,
        f: TVMFunctionHandle,
        override_: ::std::os::raw::c_int,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMFuncRegisterGlobal)(name, f, override_) }
    }
    pub unsafe fn TVMFuncGetGlobal(
        &self,
        name: *const ::std::os::raw::c_char,
        out: *mut TVMFunctionHandle,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMFuncGetGlobal)(name, out) }
    }
    pub unsafe fn TVMFuncListGlobalNames(
        &self,
        out_size: *mut ::std::os::raw::c_int,
        out_array: *mut *mut *const ::std::os::raw::c_char,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMFuncListGlobalNames)(out_size, out_array) }
    }
    pub unsafe fn TVMFuncRemoveGlobal(
        &self,
        name: *const ::std::os::raw::c_char,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMFuncRemoveGlobal)(name) }
    }
    pub unsafe fn TVMArrayAlloc(
        &self,
        shape: *const tvm_index_t,
        ndim: ::std::os::raw::c_int,
        dtype_code: ::std::os::raw::c_int,
        dtype_bits: ::std::os::raw::c_int,
        dtype_lanes: ::std::os::raw::c_int,
        device_type: ::std::os::raw::c_int,
        device_id: ::std::os::raw::c_int,
        out: *mut TVMArrayHandle,
    ) -> ::std::os::raw::c_int {
        unsafe {
            (self
                .TVMArrayAlloc)(
                shape,
                ndim,
                dtype_code,
                dtype_bits,
                dtype_lanes,
                device_type,
                device_id,
                out,
            )
        }
    }
    pub unsafe fn TVMArrayFree(&self, handle: TVMArrayHandle) -> ::std::os::raw::c_int {
        unsafe { (self.TVMArrayFree)(handle) }
    }
    pub unsafe fn TVMArrayCopyFromBytes(
        &self,
        handle: TVMArrayHandle,
        data: *mut ::std::os::raw::c_void,
        nbytes: usize,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMArrayCopyFromBytes)(handle, data, nbytes) }
    }
    pub unsafe fn TVMArrayCopyToBytes(
        &self,
        handle: TVMArrayHandle,
        data: *mut ::std::os::raw::c_void,
        nbytes: usize,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMArrayCopyToBytes)(handle, data, nbytes) }
    }
    pub unsafe fn TVMArrayCopyFromTo(
        &self,
        from: TVMArrayHandle,
        to: TVMArrayHandle,
        stream: TVMStreamHandle,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMArrayCopyFromTo)(from, to, stream) }
    }
    pub unsafe fn TVMArrayFromDLPack(
        &self,
        from: *mut DLManagedTensor,
        out: *mut TVMArrayHandle,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMArrayFromDLPack)(from, out) }
    }
    pub unsafe fn TVMArrayToDLPack(
        &self,
        from: TVMArrayHandle,
        out: *mut *mut DLManagedTensor,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMArrayToDLPack)(from, out) }
    }
    pub unsafe fn TVMDLManagedTensorCallDeleter(&self, dltensor: *mut DLManagedTensor) {
        unsafe { (self.TVMDLManagedTensorCallDeleter)(dltensor) }
    }
    pub unsafe fn TVMStreamCreate(
        &self,
        device_type: ::std::os::raw::c_int,
        device_id: ::std::os::raw::c_int,
        out: *mut TVMStreamHandle,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMStreamCreate)(device_type, device_id, out) }
    }
    pub unsafe fn TVMStreamFree(
        &self,
        device_type: ::std::os::raw::c_int,
        device_id: ::std::os::raw::c_int,
        stream: TVMStreamHandle,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMStreamFree)(device_type, device_id, stream) }
    }
    pub unsafe fn TVMSetStream(
        &self,
        device_type: ::std::os::raw::c_int,
        device_id: ::std::os::raw::c_int,
        handle: TVMStreamHandle,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMSetStream)(device_type, device_id, handle) }
    }
    pub unsafe fn TVMSynchronize(
        &self,
        device_type: ::std::os::raw::c_int,
        device_id: ::std::os::raw::c_int,
        stream: TVMStreamHandle,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMSynchronize)(device_type, device_id, stream) }
    }
    pub unsafe fn TVMStreamStreamSynchronize(
        &self,
        device_type: ::std::os::raw::c_int,
        device_id: ::std::os::raw::c_int,
        src: TVMStreamHandle,
        dst: TVMStreamHandle,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMStreamStreamSynchronize)(device_type, device_id, src, dst) }
    }
    pub unsafe fn TVMObjectGetTypeIndex(
        &self,
        obj: TVMObjectHandle,
        out_tindex: *mut ::std::os::raw::c_uint,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMObjectGetTypeIndex)(obj, out_tindex) }
    }
    pub unsafe fn TVMObjectTypeKey2Index(
        &self,
        type_key: *const ::std::os::raw::c_char,
        out_tindex: *mut ::std::os::raw::c_uint,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMObjectTypeKey2Index)(type_key, out_tindex) }
    }
    pub unsafe fn TVMObjectTypeIndex2Key(
        &self,
        tindex: ::std::os::raw::c_uint,
        out_type_key: *mut *mut ::std::os::raw::c_char,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMObjectTypeIndex2Key)(tindex, out_type_key) }
    }
    pub unsafe fn TVMObjectRetain(&self, obj: TVMObjectHandle) -> ::std::os::raw::c_int {
        unsafe { (self.TVMObjectRetain)(obj) }
    }
    pub unsafe fn TVMObjectFree(&self, obj: TVMObjectHandle) -> ::std::os::raw::c_int {
        unsafe { (self.TVMObjectFree)(obj) }
    }
    pub unsafe fn TVMByteArrayFree(
        &self,
        arr: *mut TVMByteArray,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMByteArrayFree)(arr) }
    }
    pub unsafe fn TVMDeviceAllocDataSpace(
        &self,
        dev: DLDevice,
        nbytes: usize,
        alignment: usize,
        type_hint: DLDataType,
        out_data: *mut *mut ::std::os::raw::c_void,
    ) -> ::std::os::raw::c_int {
        unsafe {
            (self.TVMDeviceAllocDataSpace)(dev, nbytes, alignment, type_hint, out_data)
        }
    }
    pub unsafe fn TVMDeviceAllocDataSpaceWithScope(
        &self,
        dev: DLDevice,
        ndim: ::std::os::raw::c_int,
        shape: *const i64,
        dtype: DLDataType,
        mem_scope: *const ::std::os::raw::c_char,
        out_data: *mut *mut ::std::os::raw::c_void,
    ) -> ::std::os::raw::c_int {
        unsafe {
            (self
                .TVMDeviceAllocDataSpaceWithScope)(
                dev,
                ndim,
                shape,
                dtype,
                mem_scope,
                out_data,
            )
        }
    }
    pub unsafe fn TVMDeviceFreeDataSpace(
        &self,
        dev: DLDevice,
        ptr: *mut ::std::os::raw::c_void,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMDeviceFreeDataSpace)(dev, ptr) }
    }
    pub unsafe fn TVMDeviceCopyDataFromTo(
        &self,
        from: *mut DLTensor,
        to: *mut DLTensor,
        stream: TVMStreamHandle,
    ) -> ::std::os::raw::c_int {
        unsafe { (self.TVMDeviceCopyDataFromTo)(from, to, stream) }
    }
    pub unsafe fn TVMObjectDerivedFrom(
        &self,
        child_type_index: u32,
        parent_type_index: u32,
        is_derived: *mut ::std::os::raw::c_int,
    ) -> ::std::os::raw::c_int {
        unsafe {
            (self.TVMObjectDerivedFrom)(child_type_index, parent_type_index, is_derived)
        }
    }
}
