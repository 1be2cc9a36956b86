"""Real faults, numbered as in the fault matrix: killed writers, full disks, races, odd answers, clocks, sizes."""
