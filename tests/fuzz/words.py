"""Numbers that break sums, and words that formats know: what a blind mutation would not hit on."""

from __future__ import annotations

NUMBERS = [
    0, 1, -1, 2, 7, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**40,
    2**53, 2**62, 2**63 - 1, 2**63, -(2**31), -2,
]  # fmt: skip

WORDS: dict[str, list[bytes]] = {
    "any": [
        b"\0" * 16, b"\xff" * 16, b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", b"PK\x03\x04", b"PK\x01\x02",
        b"PK\x05\x06", b"PK\x06\x06", b"\x80\x02", b"\x80\x04", b"../../etc/passwd", b"/home/ann/x.py",
        b"\xed\xa0\x80", b"\x1b[31m", b"1e999", b"NaN", b"\x08\x96\x01", b"A" * 5000,
        b"cos\nsystem\n(S'true'\ntR.", b"\x93NUMPY\x01\x00", b"GGUF", b"TFL3",
    ],
    "pytorch": [
        b"cos\nsystem\n", b"c__builtin__\neval\n", b"(i__main__\nX\n", b"\x8c\x02os\x8c\x06system\x93",
        b"R", b"b", b"\x81", b"\x92", b"Q", b"(t", b"}", b"]", b"a", b"s", b"u", b"e", b"0", b"2", b"1",
        b"q\x00", b"h\x00", b"r\xff\xff\xff\x7f", b"j\xff\xff\xff\xff", b"\x94", b"J\xff\xff\xff\xff",
        b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x8b\x00\x10\x00\x00", b"X\xff\xff\xff\x7f",
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f", b"ctorch._utils\n",
        b"_rebuild_tensor_v2\n", b"ctorch\nFloatStorage\n", b"data.pkl", b"byteorder", b"I99999999999\n",
        b"L" + b"9" * 5000 + b"L\n", b"(" * 200, b"\x85" * 200, b".", b"N", b"]q\x00h\x00a",
    ],
    "pytorch-hub": [
        b"from x import *\n", b"from . import y\n", b"globals()['f'] = g\n", b"@d\n", b"lambda *a: a",
        b"class A(B, C): ...\n", b"functools.partial(f, 1, x=2)", b"if x:\n  ", b"try:\n  f\nfinally:\n  g\n",
        b"del f\n", b"(a := b)\n", b"f'{x!r:>{y}}'", b"\t", b"# coding: utf-7\n", b"async def f(): ...\n",
        b"def f(a, /, b=1, *c, d, **e): ...\n", b"match x:\n  case y: ...\n", b"__all__ += ['f']\n", b"(" * 90,
        b"not " * 90, b"x.y.z", b"a, b = c, d\n", b"\xef\xbb\xbf", b"'https://w.example/x.pth'", b"\x0c",
        b"from hubconf import *\n", b"f = f\n", b"f = g\ng = f\n", b"x[0]", b"{**a}", b"global f\n",
    ],
    "torchscript": [
        b"def forward(self, x: Tensor) -> Tensor:\n", b"class A(Module):\n", b"__torch__.", b"constants.pkl",
        b"ops.aten.add(x, y)", b"List[Tensor]", b"Optional[int]", b"annotate(", b"CONSTANTS.c0", b"unchecked_cast",
    ],
    "torch-export": [
        b"as_sym_int", b"as_tensor", b"range_constraints", b"s0", b"Symbol('s0')", b"__import__('os')",
        b"torch.ops.aten.add.Tensor", b"serialized_exported_program.json", b"as_expr", b"2*s0", b"s0**9999999",
    ],
    "safetensors": [b"data_offsets", b"__metadata__", b"F32", b"BF16", b"shape", b"F4", b"[0,99999999999]"],
    "onnx": [b"ai.onnx.ml", b"external", b"location", b"offset", b"length", b"If", b"Loop", b"Scan", b"PyOp"],
    "keras": [
        b"Lambda", b"class_name", b"config", b"module", b"registered_name", b"build_config", b"__lambda__",
        b"InputLayer", b"batch_shape", b"inbound_nodes", b"Functional", b"keras_history", b"\x89HDF\r\n\x1a\n",
    ],
    "tfjs": [b"modelTopology", b"weightsManifest", b"paths", b"graph-model", b"layers-model", b"shape", b"dtype"],
    "tf-savedmodel": [b"ReadFile", b"PyFunc", b"serving_default", b"VarHandleOp", b"StatefulPartitionedCall"],
    "tf-frozen-graph": [b"ReadFile", b"PyFunc", b"Placeholder", b"Const", b"_output_shapes"],
    "tf-hub-module": [b"ReadFile", b"PyFunc", b"default", b"hub_module_attachment", b"image_module_info"],
    "tf-checkpoint": [b"\x57\xfb\x80\x8b\x24\x75\x47\xdb", b"_CHECKPOINTABLE_OBJECT_GRAPH", b"\x00\x00\x01"],
    "tflite": [b"TFL3", b"\x10\x00\x00\x00", b"\xfc\xff\xff\xff", b"serving_default", b"FlexReadFile", b"CUSTOM"],
    "gguf": [b"GGUF", b"general.architecture", b"tokenizer.chat_template", b"\x09\x00\x00\x00", b"\x08\x00\x00\x00"],
    "skops": [b"schema.json", b"__module__", b"__class__", b"__loader__", b"content", b"FunctionNode", b"os"],
    "openvino": [
        b"<!ENTITY x 'y'>", b"<!DOCTYPE net>", b"&x;", b"<layer id='0' name='x' type='Const' version='opset1'>",
        b'offset="99999999999"', b'size="-1"', b'element_type="f32"', b"<dim>-1</dim>", b"<![CDATA[", b"<a>" * 300,
    ],
    "npz": [b"\x93NUMPY", b"{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", b"'<f8'", b"(9999999999,)", b".npy"],
}  # fmt: skip
