"""Models as Python objects: training in memory, and the face of scikit-learn."""
