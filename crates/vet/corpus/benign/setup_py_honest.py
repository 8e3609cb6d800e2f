# label: benign
# expect:
# note: An honest setup.py with a C extension; it builds native code and loads none.
# allow: V401
from pathlib import Path

from setuptools import Extension, find_packages, setup

setup(
    name="fastcount",
    version="0.4.1",
    description="Counting things in C",
    long_description=Path("README.md").read_text(),
    packages=find_packages("src"),
    package_dir={"": "src"},
    ext_modules=[Extension("fastcount._core", sources=["src/core.c"], extra_compile_args=["-O2"])],
    python_requires=">=3.9",
    install_requires=["numpy"],
)
