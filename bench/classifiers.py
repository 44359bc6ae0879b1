"""Writes cases for `lyrebird verify`: logits and gradients of the three classifiers, as torchvision computes them.

    python3 bench/classifiers.py OUT.safetensors [--size 64] [--batch 3]
    node dist/cli/main.js verify OUT.safetensors

Needs PyTorch and torchvision. Everything is computed in float64 from float32 values. ResNet-18's state is the `sine` one, which
both sides compute by a formula (src/cli/verify/modules.ts); the others, which are narrower, begin as torchvision lets them, and
their states are in the file.
"""
import argparse
import json
import struct

import numpy as np
import torch
from torch import nn
from torchvision.models import mobilenet_v2, resnet18
from torchvision.models.vgg import VGG, make_layers

torch.set_default_dtype(torch.float64)

STAGES = [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"]


class NarrowVGG(VGG):
    """torchvision's VGG, whose forward pass this is, with other widths."""

    def __init__(self, classes, width):
        nn.Module.__init__(self)
        self.features = make_layers([c if c == "M" else int(c * width) for c in STAGES])
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        hidden = int(4096 * width)
        self.classifier = nn.Sequential(nn.Linear(int(512 * width) * 49, hidden), nn.ReLU(), nn.Dropout(0.0),
                                        nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(0.0), nn.Linear(hidden, classes))


NETWORKS = {  # width, gradients to store besides that of the images, how to make it
    "resnet18": (1, ["conv1.weight", "layer2.0.bn1.weight", "fc.weight"], lambda n, w: resnet18(num_classes=n)),
    "mobilenet_v2": (0.25, ["features.0.0.weight", "features.9.conv.1.1.bias", "classifier.1.bias"],
                     lambda n, w: mobilenet_v2(num_classes=n, width_mult=w, dropout=0.0)),
    "vgg16": (0.0625, ["features.0.weight", "features.14.bias", "classifier.6.weight"], NarrowVGG),
}


def load_sine(net):
    state = {k: v for k, v in net.state_dict().items() if v.is_floating_point()}
    for i, (name, value) in enumerate(state.items()):
        s = torch.sin(0.7 * torch.arange(value.numel()) + i)
        if value.dim() > 1:
            s = s * (3 / value[0].numel()) ** 0.5
        elif name.endswith("running_var"):
            s = 1 + 0.5 * s
        else:
            s = 1 + 0.1 * s if name.endswith("weight") else 0.1 * s
        state[name] = s.view_as(value).float().double()
    net.load_state_dict(state, strict=False)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=3)
    args = parser.parse_args()
    torch.manual_seed(0)
    classes, tensors, cases = 5, {}, []
    for op, (width, names, make) in NETWORKS.items():
        for training in (False, True):
            net = make(classes, width)
            if width == 1:
                load_sine(net)
            else:
                net.load_state_dict({k: v.float().double() for k, v in net.state_dict().items()})
            state = {k: v.clone() for k, v in net.state_dict().items() if width < 1 and v.is_floating_point()}
            net.train(training)
            x = torch.randn(args.batch, 3, args.size, args.size).float().double().requires_grad_()
            logits = net(x)
            cotangent = torch.randn_like(logits).float().double()
            logits.backward(cotangent)
            grads = {"x": x.grad, **{name: net.get_parameter(name).grad for name in names}}
            key = f"{op}/{training}"
            stored = {"x": x, "logits": logits, "cotangent": cotangent, **{f"d {k}": v for k, v in grads.items()}}
            stored.update({f"state {k}": v for k, v in state.items()})
            tensors.update({f"{key}/{k}": v.detach().float().contiguous().numpy() for k, v in stored.items()})
            cases.append({
                "name": f"{op} {args.size}x{args.size} {'train' if training else 'eval'}", "op": op,
                "attrs": {"classes": classes, "width": width, "training": training, **({"state": "sine"} if width == 1 else {})},
                "inputs": {"x": f"{key}/x", **{k: f"{key}/state {k}" for k in state}}, "outputs": {"logits": f"{key}/logits"},
                "cotangents": {"logits": f"{key}/cotangent"}, "grads": {k: f"{key}/d {k}" for k in grads},
                "tol": 1e-3, "gradTol": 1e-2})
    header, end = {"__metadata__": {"format": "reference-cases/1", "cases": json.dumps(cases)}}, 0
    for key, value in tensors.items():
        header[key] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [end, end + value.nbytes]}
        end += value.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(args.out, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(np.ascontiguousarray(v).tobytes() for v in tensors.values()))
    print(f"{args.out}: {len(cases)} cases")


if __name__ == "__main__":
    main()
