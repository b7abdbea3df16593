"""`python -m benchmarks.calibration > shared/embedding/calibration.py`: the ranges, from texts of our own.

They are the lowest and the highest value seen. To cut off the rare large ones, as is often done, so that the many
small ones are told apart, makes it worse: of this model, the large ones matter most.
"""

from benchmarks.calibration.forward import forward
from benchmarks.calibration.texts import texts
from shared.embedding import weights
from shared.embedding.encoder import load_encoder
from shared.embedding.weights import Matrix

HEADER = '''"""The range of values that each product of the int8 graph tells apart in its input, as (lowest, highest).

Made by `python -m benchmarks.calibration`, from texts of our own. What lies outside is cut off.
"""

RANGES = {'''


def main() -> None:
    encoder, package = load_encoder("fp32"), weights.find()
    if encoder is None or package is None:
        raise SystemExit("The weights are not installed: run `make install`.")
    tensors = weights.read(weights.checked(package, "model.safetensors"))
    ranges: dict[str, tuple[float, float]] = {}

    def seen(name: str, x: Matrix) -> None:
        low, high = ranges.get(name, (0.0, 0.0))
        ranges[name] = min(low, float(x.min())), max(high, float(x.max()))

    for ids in encoder.tokens(list(texts())):
        forward(tensors, ids, seen)
    print(HEADER)
    for name, (low, high) in ranges.items():
        print(f'    "{name}": ({low:.4f}, {high:.4f}),')
    print("}")


if __name__ == "__main__":
    main()
