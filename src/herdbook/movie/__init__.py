"""Movies read under the right frame numbers, and written whole or not at all."""
