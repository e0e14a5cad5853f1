# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab: a network of namespaces in which real gateways fail and a stock client watches."""
