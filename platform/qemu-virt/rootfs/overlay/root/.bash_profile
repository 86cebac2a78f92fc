# SPDX-License-Identifier: BSD-3-Clause
PS1='\u@\h:\w# '
