"""This machine: files that appear whole, HDF5 on full disks, several processes, interrupts, progress."""
