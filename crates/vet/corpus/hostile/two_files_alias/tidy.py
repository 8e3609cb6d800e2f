from broom import sweep as up

__all__ = ["up"]
