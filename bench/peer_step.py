#!/usr/bin/env python3
"""Times the LoRA training step that PyTorch users run: diffusers' QwenImageTransformer2DModel + PEFT, random weights.

The peer in every speed comparison of docs/benchmarks.md. Needs torch, peft and diffusers. On a processor torch needs an
optimised BLAS (on Debian libopenblas0-openmp beside python3-torch): the reference BLAS is 3 to 5 times slower and no
fair peer. Prints one JSON line: milliseconds for an optimiser step, peak memory in MiB, parameters.

  tiny:    peer_step.py --device cpu --dtype fp32 --layers 6 --heads 4 --head-dim 32 --axes 8,12,12 --joint 64 \\
               --grid 4x4 --text 20
  middle:  peer_step.py --device cpu --dtype fp32 --layers 4 --heads 8 --head-dim 64 --axes 16,24,24 --joint 512 \\
               --grid 32x32 --text 128 --steps 5
  full:    peer_step.py --device cuda --dtype bf16 --grid 64x64 --text 200 --checkpointing
  the same with frozen weights in 8 bits:  ... --frozen float8   (e4m3 with one scale a row, widened to bf16 before each
           product, as weight-only quantisation does in the usual trainers)
"""
import argparse
import json
import resource
import statistics
import time
import types

import torch
import torch.nn.functional as F

p = argparse.ArgumentParser()
p.add_argument("--device", default="cuda")
p.add_argument("--dtype", default="bf16", choices=["bf16", "fp32"])
p.add_argument("--layers", type=int, default=60)
p.add_argument("--heads", type=int, default=24)
p.add_argument("--head-dim", type=int, default=128)
p.add_argument("--axes", default="16,56,56")
p.add_argument("--joint", type=int, default=3584)
p.add_argument("--grid", default="64x64", help="latent tokens, height x width (image pixels / 16)")
p.add_argument("--text", type=int, default=200)
p.add_argument("--batch", type=int, default=1)
p.add_argument("--rank", type=int, default=16)
p.add_argument("--accumulate", type=int, default=1)
p.add_argument("--checkpointing", action="store_true")
p.add_argument("--compile", action="store_true")
p.add_argument("--frozen", default="none", choices=["none", "float8", "int8"])
p.add_argument("--steps", type=int, default=10)
p.add_argument("--warmup", type=int, default=3)
a = p.parse_args()

from diffusers.models.transformers.transformer_qwenimage import QwenImageTransformer2DModel
from peft import LoraConfig

dev, dt = torch.device(a.device), dict(bf16=torch.bfloat16, fp32=torch.float32)[a.dtype]
torch.manual_seed(0)
torch.set_default_dtype(dt)
with torch.device(dev):
    model = QwenImageTransformer2DModel(num_layers=a.layers, num_attention_heads=a.heads, attention_head_dim=a.head_dim,
                                        joint_attention_dim=a.joint, axes_dims_rope=tuple(map(int, a.axes.split(","))))
torch.set_default_dtype(torch.float32)
base = sum(q.numel() for q in model.parameters())
model.requires_grad_(False)


def narrow(linear):
    """Keeps a frozen weight in 8 bits and widens it at every product."""
    w = linear.weight.data
    top = 448.0 if a.frozen == "float8" else 127.0
    scale = (w.abs().amax(1, keepdim=True).float() / top).clamp(min=1e-12)
    q = w.float() / scale
    q = q.to(torch.float8_e4m3fn) if a.frozen == "float8" else q.round().to(torch.int8)
    del linear.weight
    linear.register_buffer("q", q)
    linear.register_buffer("scale", scale.to(dt))
    linear.forward = types.MethodType(lambda s, x: F.linear(x, s.q.to(dt) * s.scale, s.bias), linear)


targets = [n for n, m in model.named_modules() if isinstance(m, torch.nn.Linear) and n.startswith("transformer_blocks")]
model.add_adapter(LoraConfig(r=a.rank, lora_alpha=a.rank, target_modules=targets))
if a.frozen != "none":
    for n, m in model.named_modules():
        if isinstance(m, torch.nn.Linear) and n.startswith("transformer_blocks") and n.endswith("base_layer"):
            narrow(m)
lora = [q for q in model.parameters() if q.requires_grad]
for q in lora:
    q.data = q.data.float()
if a.checkpointing:
    model.enable_gradient_checkpointing()
if a.compile:
    model.compile_repeated_blocks() if hasattr(model, "compile_repeated_blocks") else model.compile()
opt = torch.optim.AdamW(lora, lr=1e-4)
h, w = map(int, a.grid.split("x"))
x0 = torch.randn(a.batch, h * w, 64, device=dev, dtype=dt)
text = torch.randn(a.batch, a.text, a.joint, device=dev, dtype=dt)
mask = torch.ones(a.batch, a.text, dtype=torch.bool, device=dev)


def sync():
    if dev.type == "cuda":
        torch.cuda.synchronize()


times = []
for i in range(a.warmup + a.steps):
    sync()
    t = time.perf_counter()
    for _ in range(a.accumulate):
        sigma = torch.rand(a.batch, device=dev, dtype=dt)
        noise = torch.randn_like(x0)
        xt = (1 - sigma.view(-1, 1, 1)) * x0 + sigma.view(-1, 1, 1) * noise
        with torch.autocast(dev.type, dt, enabled=dt != torch.float32):
            out = model(hidden_states=xt, encoder_hidden_states=text,
                        encoder_hidden_states_mask=mask if a.batch > 1 else None, timestep=sigma,
                        img_shapes=[[(1, h, w)]] * a.batch, return_dict=False)[0]
        loss = ((out.float() - (noise - x0).float()) ** 2).mean()
        loss.backward()
    torch.nn.utils.clip_grad_norm_(lora, 1.0)
    opt.step()
    opt.zero_grad(set_to_none=True)
    sync()
    if i >= a.warmup:
        times.append((time.perf_counter() - t) * 1e3)
process_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
peak = torch.cuda.max_memory_allocated() / 2**20 if dev.type == "cuda" else process_peak
print(json.dumps(dict(ms_median=round(statistics.median(times), 2), ms_min=round(min(times), 2),
                      ms_max=round(max(times), 2), peak_mib=round(peak),
                      base_params=base, lora_params=sum(q.numel() for q in lora), torch=torch.__version__,
                      args=vars(a))))
