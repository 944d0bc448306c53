# SPDX-License-Identifier: Apache-2.0
# PyTorch's files: their tensors are those of safetensors; nothing in them is run.
% cp -r "$ALM_SOURCE_ROOT/tests/data/torch/." torch

== tensors are found however deep they lie, and laid out row by row
$ alm tensor torch/nested_checkpoint.pt --list | grep view | tr -s ' '
> model.sliced_view F32 4 x 10 160
> model.transposed_view F32 30 x 8 960

== a folder of either form has the numbers of safetensors
$ for f in zip legacy safetensors; do alm tensor torch/tiny-llama/$f lm_head.weight -o n.npy; sha256sum < n.npy; done | sort -u | wc -l | tr -d ' '
> 1
$ for f in zip legacy safetensors; do alm logits torch/tiny-llama/$f -t 1,2,3,4 --digest; done | sort -u | wc -l | tr -d ' '
> 1

== several files are one model
$ alm tensor torch/sharded --list | tail -n +2 | wc -l | tr -d ' '
> 28

== what would run something is refused, and named
$ cp "$ALM_SOURCE_ROOT/tests/data/hostile/pytorch/os-system.pt" x.pt; alm tensor x.pt --list
2> alm: x.pt: unsafe_code: at byte 0: os.system is not on the list of what a checkpoint may name
2>*
? 3

== weights alone are no model
$ alm logits torch/tiny-llama/zip/pytorch_model.bin -t 1 --digest
2>~ weights without their configuration
2> hint: give the folder that holds config.json and the weights
? 2
