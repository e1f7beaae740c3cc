"""The operating system: files that appear only when complete, HDF5 on full disks, several processes, interrupts, progress."""
