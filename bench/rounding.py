"""How far rounding alone moves torchvision's logits in training mode: a table for NOTES.md.

    python3 bench/rounding.py [--size 32] [--batch 2] [--draws 30]

Needs PyTorch and torchvision. Each draw is a batch of normal values as images; the networks are in the `sine` state. In float64
beside itself: images moved by an ulp of float64, up or down, and by up to 2^-24 of their values, which is what rounding to float32 may
do. In float32: the same images and weights, computed in float32. Errors are relative to the largest logit.
"""
import argparse

import torch
from torchvision.models import mobilenet_v2, resnet18

from classifiers import load_sine

TOLERANCE = 2e-3


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--draws", type=int, default=30)
    args = parser.parse_args()
    torch.manual_seed(0)
    print(f"PyTorch {torch.__version__}, {args.draws} draws, batch {args.batch} of {args.size} x {args.size}, tolerance {TOLERANCE}")
    for name, make in [("resnet18", lambda: resnet18(num_classes=3)), ("mobilenet_v2", lambda: mobilenet_v2(num_classes=3, dropout=0.0))]:
        net = make()
        load_sine(net)
        single = make().float()
        single.load_state_dict(net.state_dict())
        errors = {"images moved by an ulp of float64": [], "images moved by up to 2^-24": [], "computed in float32": []}
        for _ in range(args.draws):
            x = torch.randn(args.batch, 3, args.size, args.size).float().double()
            ulp = torch.nextafter(x, torch.where(torch.rand_like(x) < 0.5, -torch.inf, torch.inf))
            rounded = x * (1 + 2**-24 * (2 * torch.rand_like(x) - 1))
            with torch.no_grad():
                exact = net(x)
                others = (net(ulp), net(rounded), single(x.float()))
            for row, logits in zip(errors.values(), others):
                row.append(float((logits - exact).abs().max() / exact.abs().max()))
        for row, found in errors.items():
            found.sort()
            over = sum(error > TOLERANCE for error in found)
            print(f"| {name:12} | {row:33} | {found[len(found) // 2]:.1e} | {found[-1]:.1e} | {over:3} |")


if __name__ == "__main__":
    main()
