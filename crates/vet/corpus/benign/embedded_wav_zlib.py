# label: benign
# expect:
# note: A compressed table of samples is unpacked and written as sound; decompression feeds no interpreter.
import base64
import struct
import wave
import zlib

TABLE = "eNpjYOcTlVHWMrSwd/MNiU7KLCiva+2ZPGvhivXb9h45fenmg+fvvv5h5hKUkFfTNbF28gwIj0vNKa5q7OifNnfJ6k07Dxw/d/XO41cff/xn4xWRVtI0MLdz9QmOSszIL6tt6Z40c8HydVv3HD518cb9Z2+//GbiFBCXU9UxtnL08A+LTckuqmxo75s6Z/GqjTv2Hzt75fajlx++/2PlEZZS1NA3s3XxDopMSM8rrWnumjhj/rK1W3YfOnnh+r2nbz7/YuTgF5NV0TaydHD3C41JziqsqG/rnTJ70coN2/cdPXP51sMX77/9ZeEWklRQ1zO1cfYKjIhPyy2pbuqcMH3e0jWbdx08cf7a3SevP/1kGGT+BwBVQcYJ"

pcm = zlib.decompress(base64.b64decode(TABLE))
with wave.open("beep.wav", "wb") as w:
    w.setnchannels(1)
    w.setsampwidth(2)
    w.setframerate(8000)
    for _ in range(20):
        w.writeframes(b"".join(struct.pack("<h", (b - 128) * 200) for b in pcm))
