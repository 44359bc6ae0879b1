"""A run's networks in PyTorch, and back: the same weights give the same images.

    python3 bench/pytorch.py DEFINITION CHECKPOINT IMAGES [OUT]

DEFINITION  a Python file that defines Generator(classes, channels, latent, base, widths) and
            Discriminator(classes, channels, size, widths), with the parameter names of the checkpoint
CHECKPOINT  RUN/checkpoints/step-....safetensors
IMAGES      raw.safetensors of `lyrebird generate CHECKPOINT --raw`: noise, labels and images, of the average of the generator's
            weights (`--weights ema`) or of its last ones (`--weights plain`), and what the discriminator says of them
OUT         where to write all networks' state_dicts, from PyTorch: a checkpoint to generate from, which cannot go on training

Says the largest difference between images in [-1, 1], and between the discriminator's logits; the exit code is 1 if one is above
1e-4. Needs torch alone.
"""
import importlib.util
import json
import struct
import sys

import torch

TOLERANCE = 1e-4
TYPES = {"F32": torch.float32, "I32": torch.int32}


def read(file):
    """A safetensors file: ({name: tensor}, metadata)."""
    with open(file, "rb") as stream:
        header = json.loads(stream.read(struct.unpack("<Q", stream.read(8))[0]))
        data = bytearray(stream.read())
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = torch.frombuffer(data[begin:end], dtype=TYPES[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"]).clone()
    return tensors, metadata


def write(file, tensors, metadata):
    header, parts, end = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        parts.append(tensor.detach().float().contiguous().numpy().tobytes())
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [end, end + len(parts[-1])]}
        end += len(parts[-1])
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(file, "wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def load(network, tensors, prefix):
    """Takes the tensors behind the prefix; of what PyTorch counts besides (num_batches_tracked), nothing depends."""
    own = {name[len(prefix):]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    missing, unexpected = network.load_state_dict(own, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        sys.exit(f"{prefix} does not fit: missing {missing}, unexpected {unexpected}")
    return network.eval()


def main(definition, checkpoint, images, out=None):
    spec = importlib.util.spec_from_file_location("definition", definition)
    networks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(networks)
    tensors, metadata = read(checkpoint)
    config = json.loads(metadata["config"])
    classes, channels = len(json.loads(metadata["info"])["classes"]), config["channels"]
    generator = lambda: networks.Generator(
        classes, channels, config["latent"], config["base"], config["generatorWidths"])
    nets = {"g.": generator(), "d.": networks.Discriminator(classes, channels, config["size"], config["discriminatorWidths"])}
    if any(name.startswith("ema.") for name in tensors):
        nets["ema."] = generator()
    for prefix, net in nets.items():
        load(net, tensors, prefix)

    raw, made_by = read(images)
    prefix = "ema." if made_by.get("weights") == "ema" else "g."
    with torch.no_grad():
        made = nets[prefix](raw["noise"], raw["labels"].long())
        adversarial, named = nets["d."](made)
    difference = (made - raw["images"]).abs().max().item()
    right = (named.argmax(1) == raw["labels"]).float().mean().item()
    print(f"{len(made)} images of {prefix}*: the largest difference is {difference:.2e} (at most {TOLERANCE:.0e})")
    judged = max((adversarial - raw["adversarial"]).abs().max().item(), (named - raw["classes"]).abs().max().item())
    print(f"logits of d.*, up to {named.abs().max():.1f}: the largest difference is {judged:.2e}")
    print(f"the discriminator takes {(adversarial > 0).float().mean():.2f} of them for real and names {right:.2f} rightly")
    if out is not None:
        states = {p + n: t for p, net in nets.items() for n, t in net.state_dict().items()}
        write(out, {n: t for n, t in states.items() if not n.endswith("num_batches_tracked")}, metadata)
        print(f"{out}: {', '.join(nets)} from PyTorch")
    return 0 if max(difference, judged) <= TOLERANCE else 1


if __name__ == "__main__":
    if not 4 <= len(sys.argv) <= 5:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
