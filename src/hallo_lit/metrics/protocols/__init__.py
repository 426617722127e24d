"""The public protocols around the networks: resize filters, MFCC, face tracks, crops, alignment, offset search."""
