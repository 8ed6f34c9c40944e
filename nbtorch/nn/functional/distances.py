"""Similarities and distances of vectors."""

from ...ops.distances import pairwise_distance, pdist
from ...ops.layers import cosine_similarity

__all__ = ["cosine_similarity", "pairwise_distance", "pdist"]
