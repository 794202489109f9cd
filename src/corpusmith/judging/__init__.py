"""What a judge is told and asked: for whole evaluations, and for the check in the stream."""
