import os as floor

sweep = floor.system
