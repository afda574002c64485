# SPDX-License-Identifier: GPL-2.0-or-later
"""What scripts/vm is made of: kernels, images, and the guest that runs a command."""
