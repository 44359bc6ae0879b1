"""Writes expected.json: metrics of generated points by numpy and scipy, by formulas of their own.

    python3 expected.py > expected.json         (numpy 2.4, scipy 1.17)

Points are drawn by the counter-based generator of src/reference/random.ts, so that the file need not hold them:
a sample is normal(seed, stream, count * dimensions) * scale[j] + shift, with scale[j] = decay^j in dimension j.
"""

import json
import numpy as np
import scipy
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist


def philox(counters, stream, seed):
    """Philox4x32-10 (Salmon et al. 2011): [len(counters), 4] words."""
    mask = np.uint64(0xFFFFFFFF)
    c = [np.asarray(counters, dtype=np.uint64), *(np.full(len(counters), v, dtype=np.uint64) for v in (stream, 0, 0))]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & mask, (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & mask]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, axis=1)


def normal(seed, stream, count):
    words = philox(np.arange((count + 3) // 4), stream, seed).reshape(-1)
    u = (words >> np.uint64(8)).astype(np.float64) * 2.0**-24
    radius, angle = np.sqrt(-2 * np.log(1 - u[0::2])), 2 * np.pi * u[1::2]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)[:count]


def sample(seed, stream, count, dimensions, decay, shift):
    return normal(seed, stream, count * dimensions).reshape(count, dimensions) * decay ** np.arange(dimensions) + shift


def frechet(x, y):
    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    # A root of a singular product is beyond sqrtm: it is taken of S1^(1/2) S2 S1^(1/2) by eigenvalues there.
    if min(len(x), len(y)) <= x.shape[1]:
        w, v = np.linalg.eigh(s1)
        root = (v * np.sqrt(np.maximum(w, 0))) @ v.T
        trace = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ s2 @ root), 0)).sum()
    else:
        trace = np.trace(sqrtm(s1 @ s2)).real
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s1) + np.trace(s2) - 2 * trace


def kernel_distance(x, y):
    k = lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3
    within = lambda a: (k(a, a).sum() - np.trace(k(a, a))) / (len(a) * (len(a) - 1))
    return within(x) + within(y) - 2 * k(x, y).mean()


def overlap(x, y, k):
    radius = lambda a: np.sort(cdist(a, a), axis=1)[:, k]  # column 0 is the point itself
    d = cdist(x, y)
    rx, ry = radius(x)[:, None], radius(y)[None, :]
    return {
        "precision": (d <= rx).any(0).mean(),
        "recall": (d <= ry).any(1).mean(),
        "density": (d <= rx).sum(0).mean() / k,
        "coverage": (d.min(1) <= rx[:, 0]).mean(),
    }


CASES = [
    # name, real and generated count, dimensions, k, decay and shift of the generated
    ("the same distribution in many dimensions", 1000, 1000, 100, 5, 1.0, 0.0),
    ("a narrower one, moved", 400, 300, 16, 3, 0.9, 0.4),
    ("fewer points than dimensions", 30, 50, 64, 2, 0.95, 0.1),
    ("a single dimension", 60, 41, 1, 4, 1.0, 0.5),
]

if __name__ == "__main__":
    expected = []
    for i, (name, real, fake, dimensions, k, decay, shift) in enumerate(CASES):
        x = sample(7, 2 * i, real, dimensions, 1.0, 0.0)
        y = sample(7, 2 * i + 1, fake, dimensions, decay, shift)
        values = {"frechet": frechet(x, y), "kernel": kernel_distance(x, y), **overlap(x, y, k)} if dimensions > 1 else {
            "kernel": kernel_distance(x, y), "frechet": (x.mean() - y.mean()) ** 2 + (x.std(ddof=1) - y.std(ddof=1)) ** 2, **overlap(x, y, k)}
        setting = dict(name=name, seed=7, streams=[2 * i, 2 * i + 1], counts=[real, fake], dimensions=dimensions, k=k, decay=decay, shift=shift)
        expected.append({**setting, "expected": {key: float(value) for key, value in values.items()}})
    versions = f"numpy {np.__version__}, scipy {scipy.__version__}"
    print(json.dumps({"made": f"by expected.py with {versions}", "cases": expected}, indent=1))
