# SPDX-License-Identifier: BSD-3-Clause
set can-use-hw-watchpoints 1
set height 0
set width 0
set confirm off
break main
run
watch watched
continue
continue
delete 2
hbreak mark
continue
info breakpoints
printf "argument %d\n", number
set $start = (long)$pc
stepi
stepi
printf "stepped %d bytes\n", (long)$pc - $start
delete
continue
