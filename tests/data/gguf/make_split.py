# SPDX-License-Identifier: Apache-2.0
# Makes split/: a GGUF file in parts, as the gguf package (0.19) splits it. Run it in its own folder.
import os, gguf
os.makedirs("split", exist_ok=True)
r = gguf.GGUFReader("../hostile/gguf-model/ok-llama.gguf")
w = gguf.GGUFWriter("split/small.gguf", "llama", split_max_tensors=4)
for f in r.fields.values():
    if f.name.startswith("GGUF.") or f.name == "general.architecture": continue
    t = f.types[0]
    w.add_key_value(f.name, f.contents(), t, sub_type=f.types[-1] if t == gguf.GGUFValueType.ARRAY else None)
for t in r.tensors:
    w.add_tensor(t.name, t.data, raw_dtype=t.tensor_type)
w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
